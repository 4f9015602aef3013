// The kernel's account of its page frames: one struct page per frame, in one virtual array
// (vmemmap; Documentation/mm/memory-model.rst).
//
// Thread contract: plain values. Cost: one word read where the kernel randomises the place.
#pragma once

#include <cstdint>
#include <optional>

#include "vitrine/base/result.h"
#include "vitrine/kernel/kernel.h"
#include "vitrine/memory/virtual_memory.h"

namespace vitrine::kernel {

struct PageArray {
  base::GuestVirtual start;       // the struct page of frame 0, whether or not it is there
  std::uint64_t entry_bytes = 0;  // of struct page

  // The number of the frame that a struct page describes; nullopt for what is none.
  std::optional<std::uint64_t> frame_of(base::GuestVirtual page) const {
    const std::uint64_t offset = page - start;
    if (page < start || offset % entry_bytes != 0) return std::nullopt;
    return offset / entry_bytes;
  }
};

// Errors: `unsupported` where the kernel does not tell the size of struct page; as reading memory.
base::Result<PageArray> find_page_array(const Kernel& kernel, memory::VirtualMemory& memory);

}  // namespace vitrine::kernel
