// A copy-on-write copy of a process that is no child of it, made through system calls in one of its
// stopped threads.
//
// Thread contract: of the thread that traces. The copy is traced and stopped, and ends with the
// calling process at the latest. Effect: as clone(2); the process hears nothing of it and has
// nobody to wait for.
#pragma once

#include <string>

#include "vitrine/base/address.h"
#include "vitrine/base/result.h"
#include "vitrine/host/remote_calls.h"

namespace vitrine::host {

// Makes the copy; its process id. `syscall`: what find_syscall said. Errors: as RemoteCalls::call
// and clone(2); then there is none.
base::Result<pid_t> clone_orphan(RemoteCalls& calls, base::HostVirtual syscall);

// Has the copy hold nothing but memory, and be the first to go where that runs out. Errors:
// `unsupported` where the host is older than close_range(2) (Linux 5.9), `denied` where its
// oom_score_adj may not be set.
base::Result<void> settle_copy(pid_t copy, base::HostVirtual syscall);

// Ends a process that we trace, and waits for its end.
void end_traced(pid_t process);

// What says that a VM cannot be copied, e.g. since "it is shared with others", and what can be used
// instead.
base::Error cannot_be_copied(const std::string& why);

}  // namespace vitrine::host
