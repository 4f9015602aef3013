// Takes in what a candidate kernel knows of itself: symbols, types, address space.
//
// Thread contract: as the memory. Cost: some megabytes read.
#pragma once

#include "vitrine/kernel/candidate.h"
#include "vitrine/kernel/kernel.h"

namespace vitrine::kernel {

// Errors: `unsupported` the kernel keeps no kallsyms or no BTF; `inconsistent` they do not fit the
// note, or the kernel's own pointer to its note leads elsewhere (a planted note).
base::Result<Kernel> learn(Candidate candidate, memory::PhysicalMemory& memory);

}  // namespace vitrine::kernel
