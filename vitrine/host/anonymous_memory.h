// How much memory a process has that is its own: no file's, and shared with nobody.
//
// Thread contract: a pure read of procfs. No effect on the guest.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "vitrine/host/proc_root.h"

namespace vitrine::host {

// Resident anonymous memory in bytes (`RssAnon` of /proc/PID/status, see
// Documentation/filesystems/proc.rst): what is mapped of a guest's RAM is not counted. Nothing
// where the kernel does not tell.
std::optional<std::uint64_t> anonymous_memory(const ProcRoot& proc, pid_t pid);

}  // namespace vitrine::host
