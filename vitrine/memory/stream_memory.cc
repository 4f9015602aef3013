#include "vitrine/memory/stream_memory.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "vitrine/memory/file_bytes.h"

namespace vitrine::memory {
namespace {

using base::Code;
using base::GuestPhysical;
using base::kPage;

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;
constexpr std::uint64_t kMost = std::uint64_t{1} << 52;  // what an x86 processor can address

// Whether a block may be main memory: no firmware, no device's memory (whose names have the path
// of the device before them).
bool may_be_memory(const MigrationStream::Block& block) {
  constexpr std::array<std::string_view, 6> kOthers{"pc.bios",       "isa-bios",      "pc.rom",
                                                    "system.flash0", "system.flash1", "vga.vram"};
  if (std::ranges::find(kOthers, block.name) != kOthers.end()) return false;
  return block.name.find('/') == std::string::npos || block.name.starts_with("/objects/");
}

// Names that end in numbers, by their number.
bool by_name(const std::string& a, const std::string& b) {
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

// How much of so much memory lies below 4 GiB.
std::uint64_t below_four_gigabytes(std::uint64_t size, std::string_view machine) {
  const bool q35 = machine.find("q35") != std::string_view::npos;
  const std::uint64_t all_below = q35 ? 0xb000'0000 : 0xe000'0000;
  if (size < all_below) return size;
  return q35 ? 2 * kGiB : 3 * kGiB;
}

}  // namespace

std::vector<BlockPlace> place_blocks(std::span<const MigrationStream::Block> blocks,
                                     std::string_view machine) {
  std::vector<std::size_t> parts;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (!may_be_memory(blocks[i])) continue;
    if (blocks[i].name == "pc.ram" || blocks[i].name == "microvm.ram") {
      parts = {i};
      break;
    }
    parts.push_back(i);
  }
  // The memory of NUMA nodes lies in the order of the nodes.
  std::ranges::sort(parts, by_name, [blocks](std::size_t i) { return blocks[i].name; });
  std::uint64_t total = 0;
  for (const std::size_t i : parts) {
    if (blocks[i].size > kMost - total) return {};
    total += blocks[i].size;
  }
  const std::uint64_t below = below_four_gigabytes(total, machine);
  std::vector<BlockPlace> places;
  std::uint64_t at = 0;
  for (const std::size_t i : parts) {
    for (std::uint64_t offset = 0; offset < blocks[i].size;) {
      const std::uint64_t left = blocks[i].size - offset;
      const std::uint64_t size = at < below ? std::min(left, below - at) : left;
      const std::uint64_t physical = at < below ? at : 4 * kGiB + (at - below);
      places.push_back({i, offset, {GuestPhysical(physical), size}});
      offset += size;
      at += size;
    }
  }
  return places;
}

// Notes where the pages of the stream stand.
class StreamMemory::Index final : public MigrationStream::Receiver {
 public:
  Index(StreamMemory& memory, std::uint64_t start) : memory_(memory), start_(start) {}

  void follow(const MigrationStream& stream) { stream_ = &stream; }

  base::Result<void> blocks(std::span<const MigrationStream::Block> blocks) override {
    places_ = place_blocks(blocks, stream_->machine());
    if (places_.empty())
      return base::fail(Code::unsupported, "no block of the migration stream is main memory",
                        "vitrine reads streams of QEMU's x86 machines pc, q35 and microvm");
    for (const BlockPlace& place : places_) {
      memory_.ram_.push_back(place.range);
      memory_.pages_.emplace_back(place.range.size / kPage);
    }
    for (std::size_t i = 0; i < blocks.size(); ++i)
      if (std::ranges::find(places_, i, &BlockPlace::block) == places_.end())
        memory_.left_out_.push_back(blocks[i].name);
    return {};
  }

  base::Result<void> page(std::size_t block, std::uint64_t offset,
                          std::span<const std::byte, MigrationStream::kPage>) override {
    note(block, offset, start_ + stream_->consumed() - kPage);
    return {};
  }

  base::Result<void> zero_page(std::size_t block, std::uint64_t offset) override {
    note(block, offset, 0);
    return {};
  }

 private:
  void note(std::size_t block, std::uint64_t offset, std::uint64_t in_file) {
    for (std::size_t i = 0; i < places_.size(); ++i) {
      const BlockPlace& place = places_[i];
      if (place.block != block || offset - place.offset >= place.range.size) continue;
      memory_.pages_[i][(offset - place.offset) / kPage] = in_file;
    }
  }

  StreamMemory& memory_;
  std::uint64_t start_;
  const MigrationStream* stream_ = nullptr;
  std::vector<BlockPlace> places_;
};

base::Result<std::unique_ptr<StreamMemory>> StreamMemory::create(base::FileDescriptor file,
                                                                 std::uint64_t start) {
  std::unique_ptr<StreamMemory> memory(new StreamMemory(std::move(file)));
  if (auto indexed = memory->index(start); !indexed) return base::fail(indexed.error());
  return memory;
}

base::Result<void> StreamMemory::index(std::uint64_t start) {
  Index index(*this, start);
  MigrationStream stream(index);
  index.follow(stream);
  std::vector<std::byte> buffer(1 << 20);
  for (std::uint64_t at = start; !stream.complete();) {
    const ssize_t got = pread(file_.get(), buffer.data(), buffer.size(), static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::fail_errno(errno, "pread", "cannot read the migration stream");
    if (got == 0)
      return base::fail(Code::inconsistent, "the migration stream ends before all of its RAM",
                        "it is truncated, or the migration was not completed: save the VM again");
    if (auto fed = stream.feed(std::span(buffer).first(static_cast<std::size_t>(got))); !fed)
      return fed;
    at += static_cast<std::uint64_t>(got);
  }
  machine_ = stream.machine();
  return {};
}

const std::uint64_t* StreamMemory::page(GuestPhysical at) const {
  for (std::size_t i = 0; i < ram_.size(); ++i)
    if (ram_[i].contains(at, 1)) return &pages_[i][(at - ram_[i].start) / kPage];
  return nullptr;
}

ReadStatus StreamMemory::load(GuestPhysical at, std::span<std::byte> into) const {
  while (!into.empty()) {
    const std::uint64_t* offset = page(at);
    if (offset == nullptr) return ReadStatus::outside_ram;
    const std::uint64_t in_page = at.value % kPage;
    const auto part = into.first(std::min<std::uint64_t>(into.size(), kPage - in_page));
    if (*offset == 0)
      std::ranges::fill(part, std::byte{});
    else if (!read_exactly(file_.get(), *offset + in_page, part, "migration stream"))
      return ReadStatus::failed;
    at = at + part.size();
    into = into.subspan(part.size());
  }
  return ReadStatus::ok;
}

void StreamMemory::read(std::span<ReadRequest> requests) {
  for (ReadRequest& request : requests) {
    const bool inside = std::ranges::any_of(ram_, [&request](const Range& range) {
      return range.contains(request.address, request.into.size());
    });
    request.status = inside ? load(request.address, request.into) : ReadStatus::outside_ram;
  }
}

std::vector<Range> StreamMemory::populated(Range within) {
  std::vector<Range> found;
  for (std::size_t i = 0; i < ram_.size(); ++i) {
    const std::uint64_t first = std::max(ram_[i].start, within.start).value / kPage * kPage;
    const std::uint64_t end = std::min(ram_[i].end(), within.end()).value;
    for (std::uint64_t at = first; at < end; at += kPage) {
      if (pages_[i][(at - ram_[i].start.value) / kPage] == 0) continue;
      if (!found.empty() && found.back().end().value == at)
        found.back().size += kPage;
      else
        found.push_back({GuestPhysical(at), kPage});
    }
  }
  return found;
}

}  // namespace vitrine::memory
