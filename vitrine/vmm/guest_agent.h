// A client of the QEMU guest agent (docs/interop/qemu-ga-ref.rst), a program that runs in the guest
// and answers JSON commands on a virtio-serial port. It never waits without a limit, and believes
// nothing that the guest says: an answer may be missing, late, damaged or endless.
//
// Thread contract: one thread at a time per object. Effect on the guest: that of the commands; the
// guest can notice each and may log it. The port serves one client at a time; closing the
// connection frees it. What a command opened in the guest stays open: see agent_intervention.h.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/base/file_descriptor.h"
#include "vitrine/base/result.h"
#include "vitrine/vmm/agent_lines.h"

namespace vitrine::vmm {

struct AgentLimits {
  std::chrono::milliseconds greeting{5000};  // synchronising
  std::chrono::milliseconds answer{10000};   // each answer, from the one before it
  std::size_t answer_bytes = 12 << 20;       // a longer one is refused
};

struct AgentCommand {
  std::string name;
  std::string arguments;  // a JSON object, or empty
};

class GuestAgent {
 public:
  // Synchronises with the agent behind a connected socket: answers to former clients are skipped.
  // Errors: `timeout` where nothing answers, `gone` where the VMM closes the connection.
  static base::Result<GuestAgent> adopt(base::FileDescriptor socket,
                                        const AgentLimits& limits = {});

  // Executes a command and returns the JSON text of what it returned. Errors: `unsupported` where
  // the agent does not know or may not use the command, `unreadable` with the agent's own words
  // where it refused, `inconsistent` for what is no answer, `timeout`, `gone`; after the last three
  // the connection is of no more use until resynchronize() succeeds.
  base::Result<std::string> execute(const AgentCommand& command);

  // Executes commands in order without waiting for each answer before the next command is sent.
  // `answered` is called for each with its index and result. Errors: those after which the
  // connection is of no more use; commands not yet answered may have been executed or not.
  using Answered = std::function<void(std::size_t, base::Result<std::string>)>;
  base::Result<void> execute_all(std::span<const AgentCommand> commands, const Answered& answered);

  // Executes a command and shows its answer to `keep` before it is taken from the socket: if this
  // process dies at any instant, either `keep` has returned, or whoever shares the socket still
  // finds the answer there. For answers of less than 4 KB.
  using Keep = std::function<base::Result<void>(const base::Result<std::string>&)>;
  base::Result<void> execute_keeping(const AgentCommand& command, const Keep& keep);

  // Makes the connection usable after a failure, or after another process used it. Returns the
  // answers that were under way, without those that were cut.
  base::Result<std::vector<std::string>> resynchronize();

  bool broken() const { return broken_; }
  int socket() const { return socket_.get(); }

 private:
  using Deadline = std::chrono::steady_clock::time_point;

  GuestAgent(base::FileDescriptor socket, const AgentLimits& limits);

  Deadline deadline() const { return std::chrono::steady_clock::now() + limits_.answer; }
  base::Result<void> wait(short events, Deadline deadline);
  base::Result<bool> send_some(std::string_view& text);
  base::Result<void> send(std::string_view text, Deadline deadline);
  base::Result<bool> receive_some();
  base::Result<AgentLine> receive(Deadline deadline);
  base::Result<std::string> peek_line(Deadline deadline);

  base::FileDescriptor socket_;
  AgentLimits limits_;
  AgentLines lines_;
  bool broken_ = false;
};

// What an answer returned, or the error that it stands for, as execute() says. What is returned may
// still be damaged, but is not nested deeply, so that it can be parsed.
base::Result<std::string> parse_agent_answer(std::string_view command, std::string_view line);

}  // namespace vitrine::vmm
