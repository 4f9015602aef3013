// Which pages of a guest an image leaves out, and what became of each page.
//
// Thread contract: plain values.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "vitrine/base/address.h"

namespace vitrine::images {

constexpr std::uint64_t kPageBytes = base::kPage;
inline constexpr std::chrono::milliseconds kProgressInterval{100};  // between two reports of it

constexpr std::uint64_t page_up(std::uint64_t bytes) {
  return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
}

// REQUIRES: not empty.
inline bool is_zero(std::span<const std::byte> page) {
  // Each byte equals its neighbour, and the first is zero: memcmp is the fastest scan there is.
  return page[0] == std::byte{} && std::memcmp(page.data(), page.data() + 1, page.size() - 1) == 0;
}

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
