// How much a process has written to disks, by the kernel's accounting.
//
// Thread contract: a pure read of procfs. No effect on the guest.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "vitrine/host/proc_root.h"

namespace vitrine::host {

// Bytes that the process has handed to file systems on disks so far (`write_bytes` of
// /proc/PID/io, see Documentation/filesystems/proc.rst): what goes to a tmpfs, a pipe or a socket
// is not counted. Nothing where the kernel does not count or does not tell us.
std::optional<std::uint64_t> written_to_disks(const ProcRoot& proc, pid_t pid);

}  // namespace vitrine::host
