// Which pages of a guest are as they were at an earlier instant.
//
// Thread contract: one thread at a time per object.
#pragma once

#include <cstdint>
#include <span>

#include "vitrine/base/result.h"
#include "vitrine/memory/physical_memory.h"

namespace vitrine::memory {

class PageChanges {
 public:
  virtual ~PageChanges() = default;

  // For each 4 KiB page of `range`, which lies within one range of RAM: 1 where it is certain to
  // hold what it held, else 0. Errors: where what happened since is not known any more.
  virtual base::Result<void> compare(Range range, std::span<std::uint8_t> same) = 0;

  // To be asked at the end: an error where the answers so far can't be relied on.
  virtual base::Result<void> confirm() { return {}; }
};

}  // namespace vitrine::memory
