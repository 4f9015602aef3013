// Which pages of a guest an image leaves out, and what became of each page.
//
// Thread contract: plain values.
#pragma once

#include <cstdint>

#include "vitrine/base/address.h"

namespace vitrine::images {

constexpr std::uint64_t kPageBytes = base::kPage;

// What a user may ask to leave out.
struct Omissions {
  bool zero = false;   // pages whose bytes are all zero
  bool free = false;   // pages that the guest's kernel has given to nobody
  bool cache = false;  // copies of what is on the guest's disks, used by nobody but the page cache
};

// What became of the guest's pages, each counted once.
struct PageCounts {
  std::uint64_t total = 0;
  std::uint64_t written = 0;
  std::uint64_t zero = 0;   // left out: all bytes are zero
  std::uint64_t free = 0;   // left out: the guest's free memory
  std::uint64_t cache = 0;  // left out: clean page cache
  std::uint64_t not_populated =
      0;                         // never touched by the guest, or given back: zero, nothing there
  std::uint64_t unreadable = 0;  // the host could not read it
  std::uint64_t unchanged = 0;   // left out: as in the image that this one builds on
};

}  // namespace vitrine::images
