// A VMM's command line, which is any user's choice; NUL ends each argument, as in
// /proc/PID/cmdline. What is made of it is fit for those who use it: sizes are whole pages and add
// up, sockets can be connected to.
#include "fuzz/fuzzer.h"
#include "fuzz/require.h"
#include "vitrine/vmm/command_line.h"
#include "vitrine/vmm/ram_block.h"

namespace {

using vitrine::fuzz::require;

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> arguments;
  while (!text.empty()) {
    const auto end = std::min(text.find('\0'), text.size());
    arguments.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return arguments;
}

void check_socket(const vitrine::vmm::MonitorSocket& socket) {
  require(!socket.path.empty() || socket.fd);
  require(!socket.fd || *socket.fd >= 0);
  require(!socket.found.empty());
}

}  // namespace

VITRINE_FUZZER(command_line) {
  using namespace vitrine::vmm;
  const auto arguments = split(vitrine::fuzz::text_of(data, size));
  const CommandLine line = parse_command_line(arguments);
  require(line.program == (arguments.empty() ? "" : arguments.front()));
  (void)is_vmm_program(line.program);
  require(line.memory != 0 && line.memory % 8192 == 0);
  for (const MonitorSocket& socket : line.monitors) check_socket(socket);
  for (const AgentPort& agent : line.agents) check_socket(agent.socket);
  const auto objects = line.backends.size() + line.numa_backends.size() +
                       line.memory_devices.size() + line.monitors.size() + line.agents.size();
  require(objects <= arguments.size());
  std::size_t machines = 0;
  for (const RamBlock& block : ram_blocks(line)) {
    require(block.size != 0);
    machines += block.use == BlockUse::machine ? 1 : 0;
  }
  require(machines > 0);
  return 0;
}
