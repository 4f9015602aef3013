// Where a VM's guest agent is reached, and why it does not answer where it does not.
//
// Thread contract: independent calls. Effect on the guest: its agent answers a synchronisation,
// which it may log.
#pragma once

#include "vitrine/base/result.h"
#include "vitrine/vmm/guest_agent.h"
#include "vitrine/vmm/machine.h"

namespace vitrine::vmm {

// Connects to the VM's guest agent. Errors: `absent` where the VM has no port for one, or nothing
// in the guest listens to it; `timeout` where another client holds it or the agent hangs; `denied`,
// `gone`. Where the VM's monitor answers, it tells which.
base::Result<GuestAgent> open_agent(const Machine& machine, const AgentLimits& limits = {},
                                    const host::ProcRoot& proc = {});

}  // namespace vitrine::vmm
