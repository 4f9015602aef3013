// The guest agent within a test guest that has a port for one (GuestOptions::agent).
//
// Thread contract: free functions that run commands in the guest.
#pragma once

#include <string>

#include "tests/live/guest.h"

namespace vitrine::live {

// Where the agent writes its process id.
inline constexpr const char* kAgentPid = "/tmp/agent.pid";

// Starts it, or starts it anew, with further options of its own. Throws std::runtime_error if it
// does not open its port.
void start_agent(Guest& guest, const std::string& options = "");
void stop_agent(Guest& guest);

}  // namespace vitrine::live
