// Which pages two processes share, one of them a copy-on-write copy of the other or both copies of
// a third: a page that was written to since then is another page frame.
//
// Thread contract: one thread at a time. Cost: 24 bytes read per page, some 25 ms for 1 GiB. No
// effect on either process.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "vitrine/host/pagemap.h"

namespace vitrine::host {

class FrameComparison {
 public:
  // Errors: as Pagemap::open; `denied` where the host does not tell us page frames.
  static base::Result<FrameComparison> open(pid_t earlier, pid_t later);

  // For each page from `start`, which is page-aligned: 1 where both have the very same page, or
  // neither any; else 0. Both must stand still. Errors: as Pagemap::read; `denied` where the host
  // does not tell us page frames.
  base::Result<void> compare(base::HostVirtual start, std::span<std::uint8_t> same);

 private:
  FrameComparison(Pagemap earlier, Pagemap later)
      : earlier_(std::move(earlier)), later_(std::move(later)) {}

  Pagemap earlier_;
  Pagemap later_;
  std::vector<PagemapEntry> before_, after_, again_;
};

}  // namespace vitrine::host
