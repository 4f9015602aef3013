// Why the host refuses to let us read another process, in words that name the remedy.
//
// Thread contract: independent reads of procfs. No effect on the guest.
#pragma once

#include "vitrine/base/result.h"
#include "vitrine/host/proc_root.h"

namespace vitrine::host {

// A `denied` error that says which of the checks of ptrace(2), "Ptrace access mode checking", fails
// for process `pid`: another user's, no dump allowed, Yama's scope, or something else.
base::Error explain_denial(pid_t pid, const ProcRoot& proc = {});

}  // namespace vitrine::host
