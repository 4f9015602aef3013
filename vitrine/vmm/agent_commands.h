// Which commands a guest agent lets its clients use.
//
// Thread contract: independent calls. Effect on the guest: its agent answers guest-info.
#pragma once

#include <span>
#include <string_view>

#include "vitrine/base/result.h"
#include "vitrine/vmm/guest_agent.h"

namespace vitrine::vmm {

// Asks for commands before any is used, so that nothing is begun that could not be ended. Errors:
// `unsupported`, naming those that are forbidden and how to allow them, or that the agent is too
// old to know; as GuestAgent::execute.
base::Result<void> require_commands(GuestAgent& agent, std::span<const std::string_view> names);

}  // namespace vitrine::vmm
