// Takes in what a candidate kernel knows of itself: symbols, types, address space.
//
// Thread contract: as the memory. Cost: some megabytes read, unless its answers were kept.
#pragma once

#include "vitrine/kernel/candidate.h"
#include "vitrine/kernel/kernel.h"
#include "vitrine/kernel/recollection.h"

namespace vitrine::kernel {

// Errors: `unsupported` the kernel keeps no kallsyms or no BTF; `inconsistent` they do not fit the
// note, or the kernel's own pointer to its note leads elsewhere (a planted note).
base::Result<Kernel> learn(const Candidate& candidate, memory::PhysicalMemory& memory,
                           const Recall& recall = {});

}  // namespace vitrine::kernel
