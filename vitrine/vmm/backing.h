// What is behind a VM's RAM on the host: joins ranges of the VMM's address space with its mappings.
//
// Thread contract: independent reads of procfs. No effect on the guest.
#pragma once

#include <span>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/host/mappings.h"
#include "vitrine/vmm/ram_layout.h"

namespace vitrine::vmm {

// The kind of memory a mapping of process `pid` is.
Backing backing_of(const host::Mapping& mapping, pid_t pid, const host::ProcRoot& proc = {});

// Completes regions that know start, size, host and block: fills in the backing from `mappings`,
// splits them where it changes, merges what is contiguous in all spaces, and sorts. Errors:
// `inconsistent` where a region is not mapped readable throughout, or regions overlap.
base::Result<std::vector<RamRegion>> with_backing(std::vector<RamRegion> regions,
                                                  std::span<const host::Mapping> mappings,
                                                  pid_t pid, const host::ProcRoot& proc = {});

}  // namespace vitrine::vmm
