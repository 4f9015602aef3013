// The guest's own list of its processes, as any program in the guest sees it: what its /proc shows.
//
// Thread contract: free functions. Effect on the guest: its agent runs a shell that reads /proc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/vmm/agent_intervention.h"

namespace vitrine::session {

// A line of /proc/PID/stat (proc_pid_stat(5)), as far as it is of use here.
struct GuestProcess {
  std::int64_t pid = 0;
  std::int64_t ppid = 0;
  std::string comm;  // as the guest writes it: newlines and backslashes escaped
  char state = '?';
  std::uint64_t start_ticks = 0;
};

// Reads lines of /proc/PID/stat; those that are damaged are left out.
std::vector<GuestProcess> parse_guest_processes(std::string_view text);

// Asks the guest for its processes, or its threads. Errors: as AgentIntervention::run, with
// `unsupported` where the agent may not run commands.
base::Result<std::vector<GuestProcess>> list_guest_processes(vmm::AgentIntervention& guest,
                                                             bool threads);

}  // namespace vitrine::session
