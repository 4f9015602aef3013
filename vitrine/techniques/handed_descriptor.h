// Descriptors handed to the VMM through its monitor, and taken back afterwards.
//
// Thread contract: one thread at a time. Effect on the guest: none.
#pragma once

#include <string>

#include "vitrine/base/result.h"
#include "vitrine/vmm/intervention.h"

namespace vitrine::techniques {

// A descriptor with a name, for commands that take "fd:NAME" and close it (QMP getfd).
struct NamedDescriptor {
  std::string uri;       // "fd:NAME"
  vmm::Change takeback;  // closes it where no command has used it up
};
base::Result<NamedDescriptor> hand_over_named(vmm::Intervention& intervention, int descriptor);

// The path by which the VMM, process `pid`, can open the pipe or file that it was handed, for
// commands that take nothing else. (A descriptor set of add-fd would stay as long as the VM is
// paused.) Errors: `denied` where the VMM's descriptors can't be looked at.
base::Result<std::string> path_in_vmm(pid_t pid, int descriptor);

// Whether the VMM has answered a command that undoes something, be it that there was nothing to
// undo; false where it has to be tried again.
bool answered(const base::Result<std::string>& reply);

}  // namespace vitrine::techniques
