// Pages of files in a synthetic guest's page cache: their frames, their struct pages, and the
// xarray of each file.
//
// Thread contract: one thread at a time.
#pragma once

#include <string_view>

#include "tests/synthetic/kernel.h"
#include "tests/synthetic/page_frames.h"

namespace vitrine::synthetic {

class PageCache {
 public:
  explicit PageCache(Kernel& kernel) : kernel_(kernel), frames_(kernel) {}

  // Gives a file a folio of 2^order pages that holds these bytes, from a page number on that the
  // folio is aligned to. Returns its struct page.
  GuestVirtual add(GuestVirtual inode, std::uint64_t index, std::string_view bytes,
                   unsigned order = 0);

  // What an xarray holds at an index: a number, as where a page was evicted, or anything forged.
  void store(GuestVirtual inode, std::uint64_t index, std::uint64_t value, unsigned order = 0);

  // The node that holds the entry of an index, and its slot.
  GuestVirtual node_of(GuestVirtual inode, std::uint64_t index, std::uint64_t& slot);

  PageFrames& frames() { return frames_; }

 private:
  GuestVirtual head(GuestVirtual inode) const;
  GuestVirtual node(unsigned shift);
  // The slot for an index in the lowest node whose slots cover `shift` bits of it.
  GuestVirtual slot(GuestVirtual inode, std::uint64_t index, unsigned shift);

  Kernel& kernel_;
  PageFrames frames_;
};

}  // namespace vitrine::synthetic
