#include "vitrine/techniques/kcore_memory.h"

#include <algorithm>
#include <cstring>

#include "vitrine/base/page.h"

namespace vitrine::techniques {
namespace {

using base::kPage;

constexpr std::uint64_t kGap = kPage;         // cheaper to read than a piece of its own
constexpr std::size_t kMostAtOnce = 8 << 20;  // bytes that one batch brings

// Whole pages of the file.
struct Extent {
  const KcoreSegment* segment = nullptr;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::size_t at = 0;  // in the arena
  bool ok = true;
};

}  // namespace

KcoreMemory::KcoreMemory(const vmm::RamLayout& layout, std::unique_ptr<KcoreFile> file)
    : file_(std::move(file)) {
  for (const vmm::RamRegion& region : layout.regions) ram_.push_back({region.start, region.size});
}

const KcoreSegment* KcoreMemory::segment_of(const memory::ReadRequest& request) const {
  const auto& segments = file_->segments();
  const auto after = std::ranges::upper_bound(
      segments, request.address, {}, [](const KcoreSegment& one) { return one.physical.start; });
  if (after == segments.begin()) return nullptr;
  const KcoreSegment& segment = *std::prev(after);
  return segment.physical.contains(request.address, request.into.size()) ? &segment : nullptr;
}

void KcoreMemory::read(std::span<memory::ReadRequest> requests) {
  std::vector<Wanted> wanted;
  wanted.reserve(requests.size());
  for (memory::ReadRequest& request : requests) {
    const bool inside = std::ranges::any_of(ram_, [&request](const memory::Range& range) {
      return range.contains(request.address, request.into.size());
    });
    request.status = inside ? memory::ReadStatus::failed : memory::ReadStatus::outside_ram;
    if (!inside) continue;
    if (request.into.empty()) request.status = memory::ReadStatus::ok;
    const KcoreSegment* segment = segment_of(request);
    if (segment != nullptr && !request.into.empty()) wanted.push_back({segment, &request});
  }
  std::ranges::sort(wanted, {}, &Wanted::offset);
  // In batches, so that whatever is asked for takes bounded memory.
  for (std::size_t first = 0; first < wanted.size();) {
    std::size_t last = first;
    std::size_t bytes = 0;
    while (last < wanted.size() && (last == first || bytes < kMostAtOnce))
      bytes += wanted[last++].request->into.size() + 2 * kPage;
    fetch(std::span(wanted).subspan(first, last - first));
    first = last;
  }
}

void KcoreMemory::fetch(std::span<const Wanted> wanted) {
  if (!health_) return;
  std::vector<Extent> extents;
  std::vector<std::size_t> extent_of;
  for (const Wanted& one : wanted) {
    const std::uint64_t begin = one.offset() / kPage * kPage;
    const std::uint64_t end = base::page_up(one.offset() + one.request->into.size());
    // What lies between two segments cannot be read.
    if (extents.empty() || begin > extents.back().end + kGap ||
        extents.back().segment != one.segment)
      extents.push_back({one.segment, begin, end});
    else
      extents.back().end = std::max(extents.back().end, end);
    extent_of.push_back(extents.size() - 1);
  }
  std::size_t total = 0;
  for (Extent& extent : extents) {
    extent.at = total;
    total += extent.end - extent.begin;
  }
  if (arena_.size() < total) arena_.resize(total);
  std::vector<KcoreFile::Piece> pieces;
  std::vector<std::size_t> owners;
  for (std::size_t i = 0; i < extents.size(); ++i)
    for (std::uint64_t at = extents[i].begin; at < extents[i].end;) {
      const std::size_t size = std::min(extents[i].end - at, KcoreFile::kMostPerPiece);
      pieces.push_back(
          {at, std::span(arena_).subspan(extents[i].at + (at - extents[i].begin), size)});
      owners.push_back(i);
      at += size;
    }
  health_ = file_->read(pieces);
  for (std::size_t i = 0; i < pieces.size(); ++i)
    if (!pieces[i].ok) extents[owners[i]].ok = false;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const Extent& extent = extents[extent_of[i]];
    if (!extent.ok) continue;
    memory::ReadRequest& request = *wanted[i].request;
    std::memcpy(request.into.data(),
                arena_.data() + extent.at + (wanted[i].offset() - extent.begin),
                request.into.size());
    request.status = memory::ReadStatus::ok;
  }
}

std::vector<memory::Range> KcoreMemory::populated(memory::Range within) {
  std::vector<memory::Range> ranges;
  for (const KcoreSegment& segment : file_->segments())
    for (const memory::Range& range : ram_) {
      const auto begin = std::max({segment.physical.start, range.start, within.start});
      const auto end = std::min({segment.physical.end(), range.end(), within.end()});
      const std::uint64_t first = base::page_up(begin.value);
      const std::uint64_t last = end.value / kPage * kPage;
      if (first < last) ranges.push_back({base::GuestPhysical(first), last - first});
    }
  std::ranges::sort(ranges, {}, &memory::Range::start);
  return ranges;
}

void KcoreMemory::recover() {
  if (!health_) health_ = file_->resynchronize();
}

}  // namespace vitrine::techniques
