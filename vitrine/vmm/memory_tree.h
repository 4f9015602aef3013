// QEMU's `info mtree`, whose text is the only place where it tells which RAM the guest sees where
// (softmmu/memory.c, mtree_print_mr and mtree_print_flatview).
//
// Thread contract: plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/memory/physical_memory.h"

namespace vitrine::vmm {

// RAM of one block, as the guest's processors see it.
struct FlatRange {
  memory::Range range;
  std::string block;
  std::uint64_t offset = 0;  // of range.start in the block, bytes

  friend bool operator==(const FlatRange&, const FlatRange&) = default;
};

// The RAM and ROM in the flat view ("info mtree -f") of the address space "memory", neighbours of
// one block merged; device memory is not in it, RAM blocks of devices and firmware are. Errors:
// `unsupported` where the text has no such view.
base::Result<std::vector<FlatRange>> parse_flat_view(std::string_view text);

// What the machine itself, not a device, offers as RAM.
struct SystemRam {
  std::vector<memory::Range> ranges;  // sorted, disjoint
  std::vector<std::string> blocks;    // names of the blocks that are aliased there
};

// The RAM directly in the container "system" ("info mtree"): ram-below-4g and ram-above-4g on a PC,
// whatever is there on machines without these.
// Errors: `unsupported` where the text has none.
base::Result<SystemRam> parse_system_ram(std::string_view text);

}  // namespace vitrine::vmm
