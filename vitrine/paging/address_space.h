// The kernel's address space as a reader needs it: the page tables, and the two linear stretches
// that need no walk once they are verified against them.
//
// Thread contract: plain values.
#pragma once

#include "vitrine/memory/physical_memory.h"
#include "vitrine/paging/walk.h"

namespace vitrine::paging {

// Guest-virtual [start, start + size) stands for guest-physical memory from `physical` on.
struct LinearMap {
  base::GuestVirtual start;
  std::uint64_t size = 0;
  base::GuestPhysical physical;
};

struct AddressSpace {
  const Format* format = nullptr;
  base::GuestPhysical root;
  LinearMap direct;  // the direct map of all RAM (page_offset_base); size 0: not verified, walk
  LinearMap image;   // the kernel image; size 0: walk
};

// Whether the guest's page tables map `claim` as it says, wherever `ram` lies in it: every page of
// every size that is present there has to. Bounded: large guests are sampled, at least every border
// of `ram` and the first and last page of each GiB.
bool verify(const AddressSpace& space, const LinearMap& claim, std::span<const memory::Range> ram,
            memory::PhysicalMemory& memory);

}  // namespace vitrine::paging
