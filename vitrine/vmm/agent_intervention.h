// What is opened in a guest through its agent, closed again: an agent keeps files open and the
// results of commands in memory until it is told otherwise, whatever becomes of its client. If this
// process dies at any instant, a guardian process (host/guardian.h) closes them over the same
// connection.
//
// Thread contract: one thread at a time. Effect on the guest: its agent opens files and runs
// commands, which the guest can notice. The connection is occupied until this is destroyed.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/host/guardian.h"
#include "vitrine/vmm/guest_agent.h"

namespace vitrine::vmm {

// What a program in the guest ended with.
struct AgentOutput {
  int status = 0;       // exit status; 128 + the signal that ended it
  std::string written;  // on its standard output
};

class AgentIntervention {
 public:
  // Starts the guardian. Errors: as the guardian's.
  static base::Result<std::unique_ptr<AgentIntervention>> begin(GuestAgent agent);

  ~AgentIntervention();
  AgentIntervention(const AgentIntervention&) = delete;
  AgentIntervention& operator=(const AgentIntervention&) = delete;

  GuestAgent& agent() { return agent_; }

  // Opens a file of the guest's to be read; returns the agent's number for it. It is closed by
  // close(), or when this is destroyed. Errors: as GuestAgent::execute; `denied`, `absent` where
  // the guest's kernel said so.
  base::Result<std::int64_t> open(std::string_view path);

  // Closes it. Error: `timeout`; the guardian tries again when this process ends.
  base::Result<void> close(std::int64_t handle);

  // Runs a program in the guest, without a shell, and waits for its end at most `limit`. Errors: as
  // GuestAgent::execute; `timeout`; `unsupported` where it writes more than the agent keeps.
  base::Result<AgentOutput> run(std::string_view path, std::span<const std::string> arguments,
                                std::chrono::milliseconds limit);

 private:
  enum class Kind : std::uint8_t { pending, file, program };
  struct Noted;
  // What an answer that nobody waited for any more says was begun.
  struct Begun {
    Kind kind = Kind::file;
    std::int64_t number = 0;
    std::optional<std::size_t> noted = {};
  };

  explicit AgentIntervention(GuestAgent agent);

  base::Result<std::size_t> note(Kind kind, std::int64_t number);
  base::Result<std::int64_t> begin_in_guest(const AgentCommand& command, Kind kind);
  base::Result<void> undo(Kind kind, std::int64_t number);
  static bool step(std::string_view argument);
  bool take_over();
  void find_begun(std::string_view answer);
  bool release(Kind kind, std::int64_t number);

  GuestAgent agent_;
  pid_t owner_;  // the process that owns the connection; another one is the guardian
  std::unique_ptr<host::Guardian> guardian_;  // null in the guardian itself
  std::map<std::pair<Kind, std::int64_t>, std::size_t> noted_;
  std::vector<Begun> begun_;  // and not yet released
};

}  // namespace vitrine::vmm
