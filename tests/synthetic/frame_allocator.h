// Hands out page frames of a part of a synthetic guest's RAM, upwards and never taken back.
//
// Thread contract: one thread at a time.
#pragma once

#include <stdexcept>

#include "tests/synthetic/memory.h"

namespace vitrine::synthetic {

class FrameAllocator {
 public:
  FrameAllocator(Memory& memory, Range area) : memory_(memory), area_(area), next_(area.start) {}

  // `size` bytes, aligned (to a power of two), populated and zero.
  GuestPhysical take(std::uint64_t size = page_size, std::uint64_t alignment = page_size) {
    const GuestPhysical at((next_.value + alignment - 1) / alignment * alignment);
    if (!area_.contains(at, size)) throw std::out_of_range("synthetic guest: out of free frames");
    memory_.populate({at, size});
    next_ = at + size;
    return at;
  }

 private:
  Memory& memory_;
  Range area_;
  GuestPhysical next_;
};

}  // namespace vitrine::synthetic
