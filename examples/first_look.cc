// A first look with the library: the VMs of this host or, with a VM's process id, name or QMP
// socket as argument, the processes of its guest.
#include <cstdio>
#include <string>
#include <string_view>

#include "vitrine/session/session.h"
#include "vitrine/views/processes.h"
#include "vitrine/vmm/machine.h"

using namespace vitrine;

namespace {

// Whoever runs in a guest chooses its names: nothing but printable ASCII goes to the terminal.
std::string printable(std::string_view text) {
  std::string shown(text.substr(0, text.find('\0')));
  for (char& c : shown)
    if (c < ' ' || c > '~') c = '?';
  return shown;
}

int failed(const base::Error& error) {
  std::fprintf(stderr, "%s\n", base::to_string(error).c_str());
  return 1;
}

int list_processes(const char* name) {
  auto vm = session::Session::open(name, {});
  if (!vm) return failed(vm.error());
  auto view = views::Processes::attach((*vm)->kernel(), (*vm)->memory(), {.command_lines = false});
  if (!view) return failed(view.error());
  auto& processes = static_cast<views::Processes&>(**view);
  auto observation = (*vm)->observe(processes);
  if (!observation) return failed(observation.error());
  for (const views::Process& process : processes.processes())
    std::printf("%7d %s\n", process.pid,
                printable({process.comm.data(), process.comm.size()}).c_str());
  return observation->outcome.complete ? 0 : 3;
}

}  // namespace

int main(int count, char** arguments) {
  if (count > 1) return list_processes(arguments[1]);
  for (const vmm::Machine& machine : vmm::list())
    std::printf("%7d %s\n", machine.process.pid, printable(machine.name).c_str());
}
