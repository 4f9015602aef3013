#include "vitrine/vmm/agent_port.h"

#include <optional>
#include <string>

#include "vitrine/base/json.h"
#include "vitrine/vmm/qmp_socket.h"

namespace vitrine::vmm {
namespace {

using base::Code;
using base::fail;
using base::Json;

base::Error no_port() {
  return {Code::absent, "the VM has no port for a guest agent that is a Unix socket",
          "start it with -device virtio-serial -chardev socket,id=qga,path=PATH,server=on,wait=off "
          "-device virtserialport,chardev=qga,name=org.qemu.guest_agent.0, and run "
          "qemu-guest-agent in the guest"};
}

base::Error held() {
  return {Code::timeout, "another client, e.g. libvirt, holds the guest agent's socket",
          "disconnect that client; the agent serves one at a time"};
}

base::Error not_running() {
  return {Code::absent, "no guest agent runs in the guest: nothing there has opened its port",
          "install and start qemu-guest-agent in the guest"};
}

// What the monitor knows of a silent agent; nothing where it does not tell either.
std::optional<base::Error> explain_silence(const Machine& machine, const std::string& chardev,
                                           const host::ProcRoot& proc) {
  auto qmp = open_qmp(machine, {}, proc);
  if (!qmp) return std::nullopt;
  if (const auto text = qmp->execute("query-status")) {
    const Json status = base::parse_json(*text);
    if (status.is_object() && status.value("running", Json(true)) == false)
      return base::Error{Code::timeout, "the VM is paused, and its guest agent with it",
                         "let it go on (QMP: cont)"};
  }
  const auto text = qmp->execute("query-chardev");
  const Json list = text ? base::parse_json(*text) : Json();
  if (!list.is_array()) return std::nullopt;
  for (const Json& entry : list) {
    if (!entry.is_object() || entry.value("label", Json()) != chardev) continue;
    if (entry.value("frontend-open", Json(true)) == false) return not_running();
    return base::Error{Code::timeout,
                       "the guest agent does not answer, although something in the guest has "
                       "opened its port: it hangs, is stopped, or the guest is too busy",
                       "look at it in the guest: systemctl status qemu-guest-agent"};
  }
  return std::nullopt;
}

}  // namespace

base::Result<GuestAgent> open_agent(const Machine& machine, const AgentLimits& limits,
                                    const host::ProcRoot& proc) {
  if (machine.command_line.agents.empty()) return fail(no_port());
  const pid_t pid = machine.process.pid;
  std::optional<QmpEndpoint> endpoint;
  std::string chardev;
  for (const AgentPort& port : machine.command_line.agents) {
    endpoint = locate(port.socket, pid, proc);
    chardev = port.chardev;
    if (endpoint) break;
  }
  if (!endpoint)
    return fail(Code::absent,
                "the guest agent's socket (" + machine.command_line.agents.front().socket.found +
                    ") cannot be reached: it was removed, or we have no right to it",
                "run it with sudo");
  AgentLimits shortened = limits;
  const bool busy = has_client(*endpoint, pid, proc);
  // A client that is just leaving is worth a moment, one that stays is not.
  if (busy) shortened.greeting = std::min(limits.greeting, std::chrono::milliseconds(300));
  auto socket = connect(endpoint->path, limits.greeting);
  if (!socket && socket.error().code == Code::timeout) return fail(held());
  if (!socket) return fail(socket.error());
  auto agent = GuestAgent::adopt(std::move(*socket), shortened);
  if (agent || agent.error().code != Code::timeout) return agent;
  if (busy) return fail(held());
  return fail(explain_silence(machine, chardev, proc).value_or(agent.error()));
}

}  // namespace vitrine::vmm
