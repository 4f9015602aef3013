// Tells a running kernel from the remains of a former one: time passes in it.
//
// Thread contract: as the memory. Cost: waits as long as it is told to, and ends as soon as one
// kernel shows life: an idle guest that stops its clock tick may be silent for a while.
#pragma once

#include <chrono>
#include <span>
#include <vector>

#include "vitrine/kernel/kernel.h"
#include "vitrine/memory/physical_memory.h"

namespace vitrine::kernel {

// The kernel's jiffies_64 now; nothing where it can't be read.
std::optional<std::uint64_t> read_jiffies(const Kernel& kernel, memory::PhysicalMemory& memory);

// For each kernel whether its jiffies advanced while we watched, for at most `patience`.
std::vector<bool> show_life(std::span<const Kernel> kernels, memory::PhysicalMemory& memory,
                            std::chrono::milliseconds patience);

}  // namespace vitrine::kernel
