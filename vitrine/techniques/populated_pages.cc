#include "vitrine/techniques/populated_pages.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "vitrine/techniques/mapped_memory.h"

namespace vitrine::techniques {
namespace {

using base::kPage;

constexpr std::uint64_t kChunkPages = 512;

}  // namespace

base::Result<PopulatedPages> PopulatedPages::open(pid_t pid, const vmm::RamLayout& layout) {
  auto pagemap = host::Pagemap::open(pid);
  if (!pagemap) return base::fail(pagemap.error());
  return PopulatedPages(pid, layout, std::move(*pagemap));
}

PopulatedPages::PopulatedPages(pid_t pid, const vmm::RamLayout& layout, host::Pagemap pagemap)
    : pagemap_(std::move(pagemap)), shared_known_since_(std::chrono::steady_clock::now()) {
  for (const vmm::RamRegion& region : layout.regions) {
    const memory::Range range{region.start, region.size};
    ram_.push_back(range);
    const std::size_t pages = (region.size + kPage - 1) / kPage;
    base::FileDescriptor file;
    // Of other file systems' files nothing is allocated by reading, or all counts as there.
    if (region.shared && region.backing == vmm::Backing::shared_memory)
      if (auto opened = open_backing(pid, region)) file = std::move(*opened);
    regions_.push_back({range, region.host, region.shared, std::move(file), region.file_offset,
                        std::vector<State>(pages),
                        std::vector<bool>((pages + kChunkPages - 1) / kChunkPages)});
  }
}

void PopulatedPages::begin_observation() {
  const auto now = std::chrono::steady_clock::now();
  const bool forget_shared = now - shared_known_since_ > kSharedTrust;
  if (forget_shared) shared_known_since_ = now;
  for (Region& region : regions_) {
    if (region.shared && forget_shared) {
      std::ranges::fill(region.pages, State::unknown);
      continue;
    }
    for (std::size_t chunk = 0; chunk < region.chunk_has_holes.size(); ++chunk) {
      if (!region.chunk_has_holes[chunk]) continue;
      region.chunk_has_holes[chunk] = false;
      const auto first = region.pages.begin() + static_cast<std::ptrdiff_t>(chunk * kChunkPages);
      const auto left = static_cast<std::uint64_t>(region.pages.end() - first);
      std::replace(first, first + static_cast<std::ptrdiff_t>(std::min(kChunkPages, left)),
                   State::hole, State::unknown);
    }
  }
}

PopulatedPages::Place PopulatedPages::find(base::GuestPhysical at, std::uint64_t size) {
  for (Region& region : regions_) {
    if (!region.range.contains(at, size)) continue;
    const std::uint64_t offset = at - region.range.start;
    if (!is_populated(region, offset, size)) return {memory::ReadStatus::not_populated};
    return {memory::ReadStatus::ok, region.host + offset};
  }
  return {};
}

void PopulatedPages::look_up(Region& region, std::uint64_t chunk) {
  std::array<host::PagemapEntry, kChunkPages> entries{};
  const std::uint64_t first = chunk * kChunkPages;
  const std::uint64_t count = std::min(kChunkPages, region.pages.size() - first);
  // A failed read leaves the entries as they are: holes, which are not touched.
  (void)pagemap_.read(region.host + first * kPage, std::span(entries).first(count));
  bool holes = false;
  for (std::uint64_t i = 0; i < count; ++i) {
    const bool is_there = entries[i].populated();
    region.pages[first + i] = is_there ? State::populated : State::hole;
    holes = holes || !is_there;
  }
  if (holes && region.file.valid()) look_into_file(region, first, count);
  region.chunk_has_holes[chunk] = holes;
}

// Marks the pages that the file has.
void PopulatedPages::look_into_file(Region& region, std::uint64_t first, std::uint64_t count) {
  const std::uint64_t begin = region.file_offset + first * kPage;
  const std::uint64_t end = begin + count * kPage;
  for (std::uint64_t at = begin; at < end;) {
    const off_t data = lseek(region.file.get(), static_cast<off_t>(at), SEEK_DATA);
    if (data < 0 || static_cast<std::uint64_t>(data) >= end) return;
    const off_t hole = lseek(region.file.get(), data, SEEK_HOLE);
    if (hole <= data) return;
    const std::uint64_t until = std::min(static_cast<std::uint64_t>(hole), end);
    for (at = static_cast<std::uint64_t>(data); at < until; at += kPage)
      region.pages[first + (at - begin) / kPage] = State::populated;
  }
}

bool PopulatedPages::is_populated(Region& region, std::uint64_t offset, std::uint64_t size) {
  if (size == 0) return true;
  for (std::uint64_t page = offset / kPage; page <= (offset + size - 1) / kPage; ++page) {
    if (region.pages[page] == State::unknown) look_up(region, page / kChunkPages);
    if (region.pages[page] == State::hole) return false;
  }
  return true;
}

std::vector<memory::Range> PopulatedPages::populated(memory::Range within) {
  std::vector<memory::Range> ranges;
  for (Region& region : regions_) {
    const std::uint64_t begin = std::max(region.range.start, within.start).value / kPage * kPage;
    const std::uint64_t end = std::min(region.range.end(), within.end()).value;
    for (std::uint64_t at = begin; at + kPage <= end; at += kPage) {
      const base::GuestPhysical page(at);
      if (!is_populated(region, page - region.range.start, kPage)) continue;
      if (!ranges.empty() && ranges.back().end() == page)
        ranges.back().size += kPage;
      else
        ranges.push_back({page, kPage});
    }
  }
  return ranges;
}

}  // namespace vitrine::techniques
