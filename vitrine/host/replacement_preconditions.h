// What has to hold of this host and of a process before memory of it can be replaced
// (memory_replacement.h), as far as it can be told without stopping it.
//
// Thread contract: independent reads of procfs, and a page of our own that is moved. No effect on
// the process.
#pragma once

#include <span>

#include "vitrine/base/result.h"
#include "vitrine/host/host_range.h"

namespace vitrine::host {

// Errors: `unsupported` where this host has not the memory for a second copy of what the process
// has there, where its kernel cannot move memory away (Linux before 5.7), or where the process has
// as many mappings as it may; `denied` where the host does not tell us page frames; as
// replaceable_pieces.
base::Result<void> can_be_replaced(pid_t pid, std::span<const HostRange> ranges);

}  // namespace vitrine::host
