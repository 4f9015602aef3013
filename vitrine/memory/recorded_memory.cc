#include "vitrine/memory/recorded_memory.h"

#include <algorithm>
#include <cstring>

namespace vitrine::memory {

using base::GuestPhysical;

void SparseBytes::put(GuestPhysical at, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const std::uint64_t offset = at.value % kPage;
    const std::size_t part = std::min<std::uint64_t>(bytes.size(), kPage - offset);
    Page& page = pages_[at.value / kPage];
    page.bytes.resize(kPage);
    page.known.resize(kPage);
    std::ranges::copy(bytes.first(part), page.bytes.begin() + static_cast<std::ptrdiff_t>(offset));
    for (std::uint64_t i = offset; i < offset + part; ++i) {
      if (!page.known[i]) ++known_;
      page.known[i] = true;
    }
    at = at + part;
    bytes = bytes.subspan(part);
  }
}

bool SparseBytes::read(GuestPhysical at, std::span<std::byte> into) const {
  while (!into.empty()) {
    const std::uint64_t offset = at.value % kPage;
    const std::size_t part = std::min<std::uint64_t>(into.size(), kPage - offset);
    const auto found = pages_.find(at.value / kPage);
    if (found == pages_.end()) return false;
    const Page& page = found->second;
    for (std::uint64_t i = offset; i < offset + part; ++i)
      if (!page.known[i]) return false;
    std::memcpy(into.data(), page.bytes.data() + offset, part);
    at = at + part;
    into = into.subspan(part);
  }
  return true;
}

std::vector<SparseBytes::Piece> SparseBytes::pieces() const {
  std::vector<Piece> pieces;
  for (const auto& [number, page] : pages_)
    for (std::uint64_t i = 0; i < kPage; ++i) {
      if (!page.known[i]) continue;
      const GuestPhysical at(number * kPage + i);
      if (pieces.empty() || pieces.back().at + pieces.back().bytes.size() != at)
        pieces.push_back({at, {}});
      pieces.back().bytes.push_back(page.bytes[i]);
    }
  return pieces;
}

std::vector<Range> SparseBytes::pages(Range within) const {
  std::vector<Range> found;
  for (auto page = pages_.lower_bound(within.start.value / kPage);
       page != pages_.end() && GuestPhysical(page->first * kPage) < within.end(); ++page) {
    const GuestPhysical at(page->first * kPage);
    if (!found.empty() && found.back().end() == at)
      found.back().size += kPage;
    else
      found.push_back({at, kPage});
  }
  return found;
}

void RecordingMemory::read(std::span<ReadRequest> requests) {
  memory_.read(requests);
  for (const ReadRequest& request : requests)
    if (request.status == ReadStatus::ok) recorded_.put(request.address, request.into);
}

void RecordedMemory::read(std::span<ReadRequest> requests) {
  for (ReadRequest& request : requests) {
    const bool inside = std::ranges::any_of(ram_, [&request](const Range& range) {
      return range.contains(request.address, request.into.size());
    });
    request.status = !inside                                         ? ReadStatus::outside_ram
                     : recorded_.read(request.address, request.into) ? ReadStatus::ok
                                                                     : ReadStatus::not_populated;
  }
}

}  // namespace vitrine::memory
