// A client of QEMU's machine protocol (docs/interop/qmp-spec.rst) that never waits without a limit.
//
// Thread contract: one thread at a time per object. Effect on the guest: that of the commands
// executed. QMP serves one client at a time per socket; closing the connection frees it and leaves
// the VM as it was.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/base/file_descriptor.h"
#include "vitrine/base/result.h"
#include "vitrine/vmm/json_framer.h"

namespace vitrine::vmm {

struct QmpLimits {
  std::chrono::milliseconds greeting{1000};  // connecting and greeting
  std::chrono::milliseconds command{10000};  // each command, unless it is given its own
  std::size_t reply_bytes = 16 << 20;
};

struct QmpCommand {
  std::string command;
  std::string arguments;  // a JSON object or empty
};

class Qmp {
 public:
  // Commands that may be on their way at once: what QEMU queues without complaint
  // (QMP_REQ_QUEUE_LEN_MAX in monitor/monitor-internal.h).
  static constexpr std::size_t kInFlight = 8;

  // Connects to a QMP socket and negotiates capabilities. Errors: `timeout` where the socket
  // accepts but does not greet, because another client holds it; as connect(); `inconsistent` where
  // what answers is not QMP.
  static base::Result<Qmp> open(const std::string& path, const QmpLimits& limits = {});

  // The same on a connected socket.
  static base::Result<Qmp> adopt(base::FileDescriptor socket, const QmpLimits& limits = {});

  // Executes a command with `arguments`, a JSON object or empty, and returns the JSON text of what
  // it returned. Events are skipped. Errors: `unsupported` where QEMU does not know the command,
  // `unreadable` with QEMU's own words where it refused, `timeout`, `gone` where the VMM closed;
  // after the last two the connection is of no more use and every call fails.
  base::Result<std::string> execute(std::string_view command, std::string_view arguments = {});
  base::Result<std::string> execute(std::string_view command, std::string_view arguments,
                                    std::chrono::milliseconds limit);

  // The same with a descriptor that QEMU receives along with the command (add-fd, getfd); it stays
  // open here, too.
  base::Result<std::string> execute_with(int descriptor, std::string_view command,
                                         std::string_view arguments);

  // Executes them in order, several on their way at once; a reply or QEMU's refusal for each. Where
  // the connection fails, the rest fail with its error. Each is given the time of one command.
  std::vector<base::Result<std::string>> execute_all(std::span<const QmpCommand> commands);

  // Makes the connection usable again where somebody was interrupted in the middle of a command:
  // what arrives is skipped until QEMU answers a command of this call. Errors: `timeout`, `gone`.
  base::Result<void> resynchronize();

  // Whether a command failed half-way, so that every other fails until resynchronize().
  bool broken() const { return broken_; }

  // The connected socket, to be kept open elsewhere.
  int socket() const { return socket_.get(); }

  // What a command of the human monitor prints, lines ending in "\n".
  base::Result<std::string> human_monitor(std::string_view command);
  // The same for several commands, as execute_all().
  std::vector<base::Result<std::string>> human_monitor_all(std::span<const std::string> commands);

 private:
  using Reply = base::Result<std::string>;
  using Deadline = std::chrono::steady_clock::time_point;

  Qmp(base::FileDescriptor socket, const QmpLimits& limits);

  base::Result<void> negotiate();
  base::Result<void> send(std::string_view text, Deadline deadline, int descriptor = -1);
  base::Result<std::string> receive(Deadline deadline);
  base::Result<void> wait(short events, Deadline deadline);
  base::Result<void> skip_until(std::string_view text, Deadline deadline);
  base::Result<Reply> reply_to(std::uint64_t id, std::string_view command, Deadline deadline);
  base::Result<std::string> transact(std::string_view command, std::string_view arguments,
                                     Deadline deadline, int descriptor = -1);

  base::FileDescriptor socket_;
  QmpLimits limits_;
  JsonFramer framer_;
  std::uint64_t last_id_;  // begins anywhere: see first_id()
  bool broken_ = false;
};

}  // namespace vitrine::vmm
