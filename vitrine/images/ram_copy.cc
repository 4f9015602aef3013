#include "vitrine/images/ram_copy.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "vitrine/base/page.h"
#include "vitrine/images/output_file.h"

namespace vitrine::images {
namespace {

using base::GuestPhysical;
using memory::ReadStatus;

// A piece is aligned to FrameUses::kPiece frames.
constexpr std::uint64_t kPieceBytes = FrameUses::kPiece * kPageBytes;

std::uint64_t count(memory::Range range) { return range.size / kPageBytes; }

}  // namespace

RamCopy::RamCopy(memory::PhysicalMemory& memory, const SnapshotRequest& request,
                 ImageWriter& writer, FrameUses* uses, SnapshotReport& report)
    : memory_(memory),
      request_(request),
      writer_(writer),
      uses_(uses),
      report_(report),
      buffer_(kPieceBytes) {}

base::Result<void> RamCopy::run() {
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
  if (request_.since)
    if (auto confirmed = request_.since->changes->confirm(); !confirmed) return confirmed;
  tell(true);
  return {};
}

base::Result<void> RamCopy::piece(memory::Range range) {
  fates_.assign(count(range), Fate::zeros);
  std::vector<memory::Range> populated = memory_.populated(range);
  if (request_.since)
    if (auto kept = keep_unchanged(range, populated); !kept) return kept;
  report_.pages.not_populated +=
      static_cast<std::uint64_t>(std::ranges::count(fates_, Fate::zeros));
  for (const memory::Range& part : populated) report_.pages.not_populated -= count(part);
  if (uses_ != nullptr && !populated.empty()) leave_out_unused(range, populated);
  for (const memory::Range& part : populated) read(range, part);
  return write(range);
}

// Takes from what is populated the pages that are as they were.
base::Result<void> RamCopy::keep_unchanged(memory::Range piece,
                                           std::vector<memory::Range>& populated) {
  same_.assign(fates_.size(), 0);
  if (auto compared = request_.since->changes->compare(piece, same_); !compared) return compared;
  for (std::size_t i = 0; i < fates_.size(); ++i) {
    if (same_[i] == 0) continue;
    fates_[i] = Fate::keep;
    ++report_.pages.unchanged;
  }
  drop_settled(piece, populated);
  return {};
}

// Takes from what is populated the pages that need not even be read.
void RamCopy::leave_out_unused(memory::Range piece, std::vector<memory::Range>& populated) {
  frame_uses_.assign(fates_.size(), FrameUse::in_use);
  uses_->classify(piece.start.value / kPageBytes, frame_uses_);
  for (const memory::Range& part : populated) {
    const std::size_t first = (part.start - piece.start) / kPageBytes;
    for (std::size_t i = first; i < first + count(part); ++i) {
      const FrameUse use = frame_uses_[i];
      const bool out = (use == FrameUse::free && request_.omissions.free) ||
                       (use == FrameUse::clean_cache && request_.omissions.cache);
      if (!out) continue;
      fates_[i] = Fate::leave_out;
      ++(use == FrameUse::free ? report_.pages.free : report_.pages.cache);
    }
  }
  drop_settled(piece, populated);
}

// Leaves of what is populated the pages whose fate is still to be decided.
void RamCopy::drop_settled(memory::Range piece, std::vector<memory::Range>& populated) const {
  std::vector<memory::Range> open;
  for (const memory::Range& part : populated) {
    for (GuestPhysical at = part.start; at < part.end(); at = at + kPageBytes) {
      if (fates_[(at - piece.start) / kPageBytes] != Fate::zeros) continue;
      if (!open.empty() && open.back().end() == at)
        open.back().size += kPageBytes;
      else
        open.push_back({at, kPageBytes});
    }
  }
  populated = std::move(open);
}

// Reads a part at once, or, where a page of it went away or can't be read, page by page.
void RamCopy::read(memory::Range piece, memory::Range part) {
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
void RamCopy::settle(memory::Range piece, GuestPhysical at, ReadStatus status) {
  const std::uint64_t offset = at - piece.start;
  Fate& fate = fates_[offset / kPageBytes];
  switch (status) {
    case ReadStatus::ok:
      if (request_.omissions.zero &&
          base::is_zero(std::span(buffer_).subspan(offset, kPageBytes))) {
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
            base::Error{.code = base::Code::unreadable,
                        .message = "the host could not read a page of the guest's RAM",
                        .address = at.value};
  }
}

// Gives runs of pages with the same fate to the writer.
base::Result<void> RamCopy::write(memory::Range piece) {
  for (std::size_t first = 0; first < fates_.size();) {
    std::size_t last = first + 1;
    while (last < fates_.size() && fates_[last] == fates_[first]) ++last;
    const memory::Range run{piece.start + first * kPageBytes, (last - first) * kPageBytes};
    base::Result<void> written;
    switch (fates_[first]) {
      case Fate::store:
        written =
            writer_.store(run.start, std::span(buffer_).subspan(run.start - piece.start, run.size));
        break;
      case Fate::zeros:
        written = writer_.store_zeros(run);
        break;
      case Fate::leave_out:
        written = writer_.leave_out(run);
        break;
      case Fate::keep:
        written = writer_.keep(run);
        break;
    }
    if (!written) return written;
    first = last;
  }
  return {};
}

void RamCopy::tell(bool finishing) {
  if (!request_.progress) return;
  const auto now = std::chrono::steady_clock::now();
  if (!finishing && now - told_ < kProgressInterval) return;
  told_ = now;
  request_.progress({done_, report_.ram_bytes, finishing});
}

}  // namespace vitrine::images
