// Ends a write protection by userfaultfd that a process left on its own memory without anybody to
// serve it: a background snapshot of QEMU that fails or is cancelled does so (seen with 7.2), and
// the guest hangs at its next write.
//
// Thread contract: independent calls. Effect: the process's threads that wait for such a page go
// on.
#pragma once

#include <sys/types.h>

#include "vitrine/base/result.h"
#include "vitrine/host/proc_root.h"

namespace vitrine::host {

// Releases every range of process `pid` that is write-protected (VmFlags "uw") through the
// process's own descriptors. Success where there is none. Errors: `denied` without the right to
// trace the process; as read_file.
base::Result<void> release_write_protection(pid_t pid, const ProcRoot& proc = {});

}  // namespace vitrine::host
