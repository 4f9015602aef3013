#include "vitrine/techniques/process_vm.h"

#include <sys/uio.h>

#include <cerrno>
#include <cstddef>

#include "vitrine/host/rights.h"
#include "vitrine/techniques/region_access.h"

namespace vitrine::techniques {

const Description& ProcessVm::description() const {
  static constexpr Description kDescription{
      .id = "process-vm",
      .technique_class = "live direct reads",
      .cooperation = "none",
      .snapshot = "live memory",
      .liveness = "guest keeps running",
      .access = "reads on a process (process_vm_readv)",
      .effect = Effect::passive,
      .demands = "CAP_SYS_PTRACE, or the VMM's own user where ptrace is not restricted",
  };
  return kDescription;
}

base::Result<void> ProcessVm::usable(const vmm::Machine& machine,
                                     const vmm::RamLayout& layout) const {
  (void)layout;
  // One byte of the page at address 0, where nothing is mapped: the host looks at our rights before
  // it finds that out. (Where no byte is asked for, it looks at nothing at all.)
  std::byte unused{};
  const iovec local{&unused, 1};
  const iovec remote{nullptr, 1};
  if (process_vm_readv(machine.process.pid, &local, 1, &remote, 1, 0) == 1 || errno == EFAULT)
    return {};
  if (errno == ENOSYS)
    return base::fail(base::Code::unsupported, "this host's kernel has no process_vm_readv",
                      "use --technique proc-mem, or a kernel with CONFIG_CROSS_MEMORY_ATTACH");
  if (errno == ESRCH) return base::fail(base::Code::gone, "the VM has ended");
  return base::fail(host::explain_denial(machine.process.pid));
}

base::Result<std::unique_ptr<Access>> ProcessVm::open(const vmm::Machine& machine,
                                                      const vmm::RamLayout& layout) const {
  if (auto allowed = usable(machine, layout); !allowed) return base::fail(allowed.error());
  return RegionAccess::open(machine, layout,
                            std::make_unique<ProcessVmPieces>(machine.process.pid));
}

}  // namespace vitrine::techniques
