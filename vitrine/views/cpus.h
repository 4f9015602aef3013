// Where the guest's per-CPU variables are.
//
// Thread contract: as the memory. Cost: two reads.
#pragma once

#include <cstdint>
#include <vector>

#include "vitrine/kernel/kernel.h"

namespace vitrine::views {

// What to add to a per-CPU pointer for the copy of each possible CPU. Errors: the symbol that is
// missing; `unreadable` where they can't be read.
base::Result<std::vector<std::uint64_t>> read_cpu_offsets(const kernel::Kernel& kernel,
                                                          memory::PhysicalMemory& memory);

}  // namespace vitrine::views
