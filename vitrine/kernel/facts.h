// What else a running kernel says of itself: when it booted, how long it has been up, its CPUs and
// memory, its name.
//
// Thread contract: as the memory. Cost: some dozen reads.
#pragma once

#include <vector>

#include "vitrine/kernel/kernel.h"
#include "vitrine/memory/physical_memory.h"

namespace vitrine::kernel {

// Facts that change while the guest runs, each with how it was found. What this kernel does not
// tell is left out, never guessed.
std::vector<Finding> read_facts(const Kernel& kernel, memory::PhysicalMemory& memory);

// The ranges that the guest itself holds to be RAM ("System RAM" in its /proc/iomem), sorted.
// Errors: where the resource tree can't be read or is damaged.
base::Result<std::vector<memory::Range>> read_system_ram(const Kernel& kernel,
                                                         memory::PhysicalMemory& memory);

}  // namespace vitrine::kernel
