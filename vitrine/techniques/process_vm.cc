#include "vitrine/techniques/process_vm.h"

#include <fmt/format.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstddef>

#include "vitrine/host/memory_read.h"
#include "vitrine/host/rights.h"
#include "vitrine/techniques/region_access.h"

namespace vitrine::techniques {

namespace {

class Pieces final : public PieceReader {
 public:
  explicit Pieces(pid_t pid) : reader_(pid) {}
  // The pieces say what could be read; why not, a later check of the machine finds out.
  void read(std::span<host::RemoteRead> pieces) override { (void)reader_.read(pieces); }

 private:
  host::ProcessVmReader reader_;
};

// Whether it does so at all (Documentation/admin-guide/mm/ksm.rst, pages_shared).
bool host_merges_pages() {
  const auto shared = host::read_file("/sys/kernel/mm/ksm/pages_shared");
  return shared && *shared != "0\n";
}

// What is read would be copied in the VMM, so that the host needed more memory.
base::Result<void> not_merged(pid_t pid) {
  const auto pages = host::merged_pages(pid);
  if (!pages && host_merges_pages())
    return base::fail(base::Code::unsupported,
                      "the host merges pages (KSM), and whether this VMM's are among them is told "
                      "with CAP_DAC_OVERRIDE only",
                      "use --technique proc-mem, or run it with sudo");
  if (!pages || *pages == 0) return {};
  return base::fail(base::Code::unsupported,
                    fmt::format("the host has merged {} of the VMM's pages with others' (KSM), and "
                                "process_vm_readv would undo that for each it reads",
                                *pages),
                    "use --technique proc-mem");
}

}  // namespace

const Description& ProcessVm::description() const {
  static constexpr Description kDescription{
      .id = "process-vm",
      .technique_class = "live direct reads",
      .cooperation = "none",
      .snapshot = "live memory",
      .liveness = "guest keeps running",
      .access = "reads on a process (process_vm_readv)",
      .effect = Effect::passive,
      .demands =
          "CAP_SYS_PTRACE, or the VMM's own user where ptrace is not restricted; no page that the "
          "host has merged with others' (KSM)",
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
    return not_merged(machine.process.pid);
  if (errno == ENOSYS)
    return base::fail(base::Code::unsupported, "this host's kernel has no process_vm_readv",
                      "use --technique proc-mem, or a kernel with CONFIG_CROSS_MEMORY_ATTACH");
  if (errno == ESRCH) return base::fail(base::Code::gone, "the VM has ended");
  return base::fail(host::explain_denial(machine.process.pid));
}

base::Result<std::unique_ptr<Access>> ProcessVm::open(const vmm::Machine& machine,
                                                      const vmm::RamLayout& layout) const {
  if (auto allowed = usable(machine, layout); !allowed) return base::fail(allowed.error());
  return RegionAccess::open(machine, layout, std::make_unique<Pieces>(machine.process.pid),
                            &not_merged);
}

}  // namespace vitrine::techniques
