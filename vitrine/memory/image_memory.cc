#include "vitrine/memory/image_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "vitrine/memory/file_bytes.h"
#include "vitrine/memory/load.h"

namespace vitrine::memory {
namespace {

using base::kPage;

bool holds_together(std::span<const ImageExtent> extents) {
  base::GuestPhysical free_from;
  for (const ImageExtent& extent : extents) {
    const std::uint64_t start = extent.range.start.value;
    if (extent.range.size == 0 || extent.range.size > kFarthest || start > kFarthest ||
        extent.offset > kFarthest || extent.range.start < free_from)
      return false;
    free_from = extent.range.end();
  }
  return true;
}

void append(std::vector<Range>& ranges, base::GuestPhysical start, base::GuestPhysical end) {
  if (!ranges.empty() && start <= ranges.back().end())
    ranges.back().size = std::max(ranges.back().end(), end) - ranges.back().start;
  else
    ranges.push_back({start, end - start});
}

}  // namespace

base::Result<std::unique_ptr<ImageMemory>> ImageMemory::create(base::FileDescriptor file,
                                                               std::vector<ImageExtent> extents) {
  if (!holds_together(extents))
    return base::fail(base::Code::inconsistent, "the ranges of the memory image contradict");
  std::unique_ptr<ImageMemory> memory(new ImageMemory(std::move(file), std::move(extents)));
  for (const ImageExtent& extent : memory->extents_)
    if (auto mapped = memory->map(extent); !mapped) return base::fail(mapped.error());
  return memory;
}

ImageMemory::~ImageMemory() {
  for (const Mapping& mapping : mappings_) munmap(mapping.at, mapping.size);
}

base::Result<void> ImageMemory::map(const ImageExtent& extent) {
  const std::uint64_t before = extent.offset % kPage;
  const std::uint64_t size = before + extent.range.size;
  // Shared, so that what is written into the file later shows.
  void* at = mmap(nullptr, size, PROT_READ, MAP_SHARED | MAP_NORESERVE, file_.get(),
                  static_cast<off_t>(extent.offset - before));
  if (at == MAP_FAILED) return base::fail_errno(errno, "mmap", "cannot map the memory image");
  // The guest's memory belongs in no core dump of ours.
  madvise(at, size, MADV_DONTDUMP);
  mappings_.push_back({at, size});
  ram_.push_back(extent.range);
  windows_.push_back({extent.range, static_cast<const std::byte*>(at) + before});
  return {};
}

void ImageMemory::read(std::span<ReadRequest> requests) {
  for (ReadRequest& request : requests) {
    request.status = ReadStatus::outside_ram;
    for (const Window& window : windows_) {
      if (!window.range.contains(request.address, request.into.size())) continue;
      const std::byte* from = window.bytes + (request.address - window.range.start);
      request.status = load_bytes(from, request.into) ? ReadStatus::ok : ReadStatus::not_populated;
    }
  }
}

std::vector<Range> ImageMemory::populated(Range within) {
  std::vector<Range> ranges;
  for (const ImageExtent& extent : extents_) {
    const auto page_of = [](std::uint64_t at) { return at / kPage * kPage; };
    const std::uint64_t start = std::max(extent.range.start, within.start).value;
    const std::uint64_t first = std::max(page_of(start), extent.range.start.value);
    const std::uint64_t end = std::min(extent.range.end(), within.end()).value;
    // Both wrap where the address is above the offset, and back when it is added.
    const std::uint64_t to_file = extent.offset - extent.range.start.value;
    for (std::uint64_t at = first; at < end;) {
      const off_t data = lseek(file_.get(), static_cast<off_t>(at + to_file), SEEK_DATA);
      if (data < 0) break;
      const off_t hole = lseek(file_.get(), data, SEEK_HOLE);
      if (hole <= data) break;
      const std::uint64_t data_start = static_cast<std::uint64_t>(data) - to_file;
      if (data_start >= end) break;
      at = std::min(static_cast<std::uint64_t>(hole) - to_file, end);
      append(ranges, base::GuestPhysical(std::max(page_of(data_start), first)),
             base::GuestPhysical(std::min(page_of(at + kPage - 1), extent.range.end().value)));
    }
  }
  return ranges;
}

}  // namespace vitrine::memory
