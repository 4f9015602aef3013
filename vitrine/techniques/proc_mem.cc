#include "vitrine/techniques/proc_mem.h"

#include "vitrine/techniques/region_access.h"

namespace vitrine::techniques {

const Description& ProcMem::description() const {
  static constexpr Description kDescription{
      .id = "proc-mem",
      .technique_class = "live direct reads",
      .cooperation = "none",
      .snapshot = "live memory",
      .liveness = "guest keeps running",
      .access = "reads on a descriptor (/proc/PID/mem)",
      .effect = Effect::passive,
      .demands = "CAP_SYS_PTRACE, or the VMM's own user where ptrace is not restricted",
  };
  return kDescription;
}

base::Result<void> ProcMem::usable(const vmm::Machine& machine,
                                   const vmm::RamLayout& layout) const {
  (void)layout;
  auto reader = host::ProcMemReader::open(machine.process.pid);
  if (!reader) return base::fail(reader.error());
  return {};
}

base::Result<std::unique_ptr<Access>> ProcMem::open(const vmm::Machine& machine,
                                                    const vmm::RamLayout& layout) const {
  auto reader = host::ProcMemReader::open(machine.process.pid);
  if (!reader) return base::fail(reader.error());
  return RegionAccess::open(machine, layout, std::make_unique<ProcMemPieces>(std::move(*reader)));
}

}  // namespace vitrine::techniques
