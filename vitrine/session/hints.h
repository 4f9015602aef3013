// What was learned of a VM the last time, kept on disk so that the next attachment is quick. Only
// hints: each is checked against the guest before it is believed, so that a stale, damaged or
// forged one costs time and nothing else.
//
// Kept in a folder that only the user can read, $XDG_CACHE_HOME/vitrine or ~/.cache/vitrine, one
// small file per VM named after the host's boot, the VMM's process id and its start time.
//
// Thread contract: independent calls may run in parallel; files are replaced atomically.
#pragma once

#include <optional>

#include "vitrine/base/address.h"
#include "vitrine/vmm/machine.h"

namespace vitrine::session {

struct Hints {
  base::GuestPhysical note;  // where the VMCOREINFO note was
};

// The hints kept for this VM; nothing where there are none or they are no good.
std::optional<Hints> load_hints(const vmm::Machine& machine);

// Keeps hints for this VM, and drops those of earlier boots of the host. Failure only costs speed.
void store_hints(const vmm::Machine& machine, const Hints& hints);

}  // namespace vitrine::session
