// Lists the processes of the VM named on the command line, or the VMs of this host.
#include <vitrine/session/session.h>
#include <vitrine/views/processes.h>

#include <cstdio>

int main(int argc, char** argv) {
  using namespace vitrine;
  const auto failed = [](const base::Error& error) {
    std::fprintf(stderr, "%s\n", to_string(error).c_str());
    return 1;
  };
  if (argc < 2) {
    for (const vmm::Machine& vm : vmm::list())
      std::printf("%d %s\n", vm.process.pid, vm.name.c_str());
    return 0;
  }
  auto session = session::Session::open(argv[1], {});
  if (!session) return failed(session.error());
  auto view = views::Processes::attach((*session)->kernel(), (*session)->memory(), {});
  if (!view) return failed(view.error());
  auto observation = (*session)->observe(**view);
  if (!observation) return failed(observation.error());
  for (const views::Process& process : dynamic_cast<views::Processes&>(**view).processes())
    std::printf("%6d %.16s\n", process.pid, process.comm.data());
}
