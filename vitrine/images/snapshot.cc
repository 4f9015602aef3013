#include "vitrine/images/snapshot.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>

#include "vitrine/images/frame_use.h"
#include "vitrine/paging/walked_memory.h"

namespace vitrine::images {
namespace {

using base::Code;
using base::fail;
using base::GuestPhysical;
using memory::ReadStatus;

constexpr std::uint64_t kPieceBytes = FrameUses::kPiece * kPageBytes;
constexpr std::chrono::milliseconds kProgressInterval{100};

// What becomes of one page.
enum class Fate : std::uint8_t { store, zeros, leave_out };

bool is_zero(std::span<const std::byte> page) {
  // Each byte equals its neighbour, and the first is zero: memcmp is the fastest scan there is.
  return page[0] == std::byte{} && std::memcmp(page.data(), page.data() + 1, page.size() - 1) == 0;
}

// Goes through RAM piece by piece; a piece is aligned to FrameUses::kPiece frames.
class Copy {
 public:
  Copy(memory::PhysicalMemory& memory, const SnapshotRequest& request, ImageWriter& writer,
       std::optional<FrameUses>& uses, SnapshotReport& report)
      : memory_(memory),
        request_(request),
        writer_(writer),
        uses_(uses),
        report_(report),
        buffer_(kPieceBytes) {}

  base::Result<void> run() {
    for (const memory::Range& range : memory_.ram()) report_.ram_bytes += range.size;
    report_.pages.total = report_.ram_bytes / kPageBytes;
    // A copy: what the memory returned may change when it learns of more RAM.
    const std::vector<memory::Range> ram(memory_.ram().begin(), memory_.ram().end());
    for (const memory::Range& range : ram) {
      for (GuestPhysical at = range.start; at < range.end();) {
        const std::uint64_t border = (at.value / kPieceBytes + 1) * kPieceBytes;
        const std::uint64_t end = std::min(border, range.end().value);
        if (auto copied = piece({at, end - at.value}); !copied) return copied;
        done_ += end - at.value;
        at = GuestPhysical(end);
        tell(false);
      }
    }
    tell(true);
    return {};
  }

 private:
  base::Result<void> piece(memory::Range range) {
    const std::size_t pages = range.size / kPageBytes;
    fates_.assign(pages, Fate::zeros);
    std::vector<memory::Range> populated = memory_.populated(range);
    report_.pages.not_populated += pages;
    for (const memory::Range& part : populated) report_.pages.not_populated -= count(part);
    if (uses_ && !populated.empty()) {
      frame_uses_.assign(pages, FrameUse::in_use);
      uses_->classify(range.start.value / kPageBytes, frame_uses_);
      leave_out_unused(range, populated);
    }
    for (const memory::Range& part : populated) read(range, part);
    return write(range);
  }

  static std::uint64_t count(memory::Range range) { return range.size / kPageBytes; }

  // Takes from what is populated the pages that need not even be read.
  void leave_out_unused(memory::Range piece, std::vector<memory::Range>& populated) {
    std::vector<memory::Range> wanted;
    for (const memory::Range& part : populated) {
      for (GuestPhysical at = part.start; at < part.end(); at = at + kPageBytes) {
        const std::size_t index = (at - piece.start) / kPageBytes;
        const FrameUse use = frame_uses_[index];
        const bool out = (use == FrameUse::free && request_.omissions.free) ||
                         (use == FrameUse::clean_cache && request_.omissions.cache);
        if (out) {
          fates_[index] = Fate::leave_out;
          ++(use == FrameUse::free ? report_.pages.free : report_.pages.cache);
        } else if (!wanted.empty() && wanted.back().end() == at) {
          wanted.back().size += kPageBytes;
        } else {
          wanted.push_back({at, kPageBytes});
        }
      }
    }
    populated = std::move(wanted);
  }

  // Reads a part at once, or, where a page of it went away or can't be read, page by page.
  void read(memory::Range piece, memory::Range part) {
    const std::span into = std::span(buffer_).subspan(part.start - piece.start, part.size);
    if (memory_.read(part.start, into) == ReadStatus::ok) {
      for (std::uint64_t page = 0; page < count(part); ++page)
        settle(piece, part.start + page * kPageBytes, ReadStatus::ok);
      return;
    }
    for (std::uint64_t page = 0; page < count(part); ++page) {
      const GuestPhysical at = part.start + page * kPageBytes;
      settle(piece, at, memory_.read(at, into.subspan(page * kPageBytes, kPageBytes)));
    }
  }

  // Decides what becomes of a page that was to be read.
  void settle(memory::Range piece, GuestPhysical at, ReadStatus status) {
    const std::uint64_t offset = at - piece.start;
    Fate& fate = fates_[offset / kPageBytes];
    switch (status) {
      case ReadStatus::ok:
        if (request_.omissions.zero && is_zero(std::span(buffer_).subspan(offset, kPageBytes))) {
          ++report_.pages.zero;
          return;
        }
        ++report_.pages.written;
        fate = Fate::store;
        return;
      case ReadStatus::not_populated:
        ++report_.pages.not_populated;
        return;
      case ReadStatus::outside_ram:
      case ReadStatus::failed:
        ++report_.pages.unreadable;
        fate = Fate::leave_out;
        if (!report_.unreadable)
          report_.unreadable =
              base::Error{.code = Code::unreadable,
                          .message = "the host could not read a page of the guest's RAM",
                          .address = at.value};
    }
  }

  // Gives runs of pages with the same fate to the writer.
  base::Result<void> write(memory::Range piece) {
    for (std::size_t first = 0; first < fates_.size();) {
      std::size_t last = first + 1;
      while (last < fates_.size() && fates_[last] == fates_[first]) ++last;
      const memory::Range run{piece.start + first * kPageBytes, (last - first) * kPageBytes};
      base::Result<void> written;
      switch (fates_[first]) {
        case Fate::store:
          written = writer_.store(run.start,
                                  std::span(buffer_).subspan(run.start - piece.start, run.size));
          break;
        case Fate::zeros:
          written = writer_.store_zeros(run);
          break;
        case Fate::leave_out:
          written = writer_.leave_out(run);
          break;
      }
      if (!written) return written;
      first = last;
    }
    return {};
  }

  void tell(bool finishing) {
    if (!request_.progress) return;
    const auto now = std::chrono::steady_clock::now();
    if (!finishing && now - told_ < kProgressInterval) return;
    told_ = now;
    request_.progress({done_, report_.ram_bytes, finishing});
  }

  memory::PhysicalMemory& memory_;
  const SnapshotRequest& request_;
  ImageWriter& writer_;
  std::optional<FrameUses>& uses_;
  SnapshotReport& report_;
  std::vector<std::byte> buffer_;  // of one piece
  std::vector<Fate> fates_;
  std::vector<FrameUse> frame_uses_;
  std::uint64_t done_ = 0;
  std::chrono::steady_clock::time_point told_;
};

// The names the kernel goes by (uname): as the guest has them, or what is known of them.
std::vector<std::byte> read_utsname(const kernel::Kernel& kernel, memory::PhysicalMemory& memory) {
  constexpr std::size_t kField = 65;
  std::vector<std::byte> names(6 * kField);
  const auto namespace_at = kernel.vmcoreinfo.symbol("init_uts_ns");
  const auto offset = kernel.vmcoreinfo.offset("uts_namespace.name");
  paging::WalkedMemory walked(*kernel.space.format, kernel.space.root, memory);
  if (namespace_at && offset && walked.read(*namespace_at + *offset, names)) return names;
  const auto put = [&names](std::size_t field, std::string_view text) {
    std::memcpy(&names[field * kField], text.data(), std::min(text.size(), kField - 1));
  };
  put(0, "Linux");
  put(2, kernel.release);
  put(4, "x86_64");
  return names;
}

GuestDescription describe(const kernel::Kernel& kernel, memory::PhysicalMemory& memory,
                          const SnapshotRequest& request) {
  GuestDescription guest;
  guest.ram.assign(memory.ram().begin(), memory.ram().end());
  guest.processors = request.processors;
  guest.vmcoreinfo = kernel.vmcoreinfo.text();
  guest.direct = kernel.space.direct;
  guest.image = kernel.space.image;
  guest.physical_base =
      static_cast<std::uint64_t>(kernel.vmcoreinfo.number("phys_base").value_or(0));
  guest.utsname = read_utsname(kernel, memory);
  guest.omissions = request.omissions;
  return guest;
}

}  // namespace

base::Result<SnapshotReport> write_snapshot(const kernel::Kernel& kernel,
                                            memory::PhysicalMemory& memory,
                                            const SnapshotRequest& request, OutputFile& file) {
  const GuestDescription guest = describe(kernel, memory, request);
  auto writer = make_writer(request.format, guest, file);
  if (!writer) return fail(writer.error());
  std::optional<FrameUses> uses;
  if (request.omissions.free || request.omissions.cache) {
    auto created = FrameUses::create(kernel, memory);
    if (!created) return fail(created.error());
    uses.emplace(std::move(*created));
  }
  SnapshotReport report;
  if (auto begun = (*writer)->begin(); !begun) return fail(begun.error());
  Copy copy(memory, request, **writer, uses, report);
  if (auto copied = copy.run(); !copied) return fail(copied.error());
  auto digest = (*writer)->finish();
  if (!digest) return fail(digest.error());
  if (digest->empty()) return fail(Code::unsupported, "OpenSSL offers no SHA-256 on this host");
  report.sha256 = std::move(*digest);
  report.size = (*writer)->size();
  auto allocated = file.allocated();
  if (!allocated) return fail(allocated.error());
  report.allocated_bytes = *allocated;
  return report;
}

}  // namespace vitrine::images
