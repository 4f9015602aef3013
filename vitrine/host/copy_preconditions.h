// What has to hold before a process can be copied (process_copy.h), as far as it can be told
// without stopping it.
//
// Thread contract: independent reads of procfs. No effect on the process.
#pragma once

#include <span>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/host/process_copy.h"

namespace vitrine::host {

// What of the ranges is marked as not to be copied (MADV_DONTFORK). Errors: `unsupported` where
// they are memory that a copy does not copy, or that somebody else writes to; as vm_flags.
base::Result<std::vector<HostRange>> marked_ranges(pid_t pid, std::span<const HostRange> ranges);

// Errors: as marked_ranges and can_be_stopped; `denied` where there is a seccomp filter and no
// right to suspend it.
base::Result<void> can_be_copied(const ProcessIdentity& process, std::span<const HostRange> ranges);

}  // namespace vitrine::host
