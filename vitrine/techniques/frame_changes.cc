#include "vitrine/techniques/frame_changes.h"

#include <algorithm>

namespace vitrine::techniques {

base::Result<void> FrameChanges::compare(memory::Range range, std::span<std::uint8_t> same) {
  std::ranges::fill(same, std::uint8_t{0});
  for (const vmm::RamRegion& region : layout_.regions) {
    const base::GuestPhysical start = std::max(range.start, region.start);
    const base::GuestPhysical end = std::min(range.end(), region.start + region.size);
    if (start >= end) continue;
    auto compared = frames_.compare(
        region.host + (start - region.start),
        same.subspan((start - range.start) / host::kHostPage, (end - start) / host::kHostPage));
    if (!compared) return compared;
  }
  return {};
}

}  // namespace vitrine::techniques
