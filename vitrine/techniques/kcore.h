// /proc/kcore of a Linux guest: an ELF core of its running kernel (fs/proc/kcore.c), of which the
// program headers say where in the file each part of physical memory is.
//
// The headers come from the guest: they may be damaged, or lie.
//
// Thread contract: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/memory/physical_memory.h"

namespace vitrine::techniques {

// Physical memory that is in the file from `offset` on; whole pages in both.
struct KcoreSegment {
  memory::Range physical;
  std::uint64_t offset = 0;
};

struct Kcore {
  std::vector<KcoreSegment> segments;  // sorted by address and disjoint
  // The kernel did not say where in physical memory its segments are, so it was derived from where
  // they are in its direct map: to be verified.
  bool derived = false;
};

// Bytes at the beginning of the file that hold all headers, given the first 64 of it. Errors:
// `unsupported` where it is no 64-bit little-endian core, `inconsistent`.
base::Result<std::size_t> kcore_headers_size(std::span<const std::byte> beginning);

// What these headers say. Errors: as above; `unsupported` where no part of memory is found.
base::Result<Kcore> parse_kcore(std::span<const std::byte> headers);

}  // namespace vitrine::techniques
