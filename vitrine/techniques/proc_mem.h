// proc-mem: reads the VMM's memory through /proc/PID/mem, one system call for each piece.
//
// Passive: works wherever process-vm does, and where a seccomp profile forbids that one.
#pragma once

#include "vitrine/techniques/technique.h"

namespace vitrine::techniques {

class ProcMem final : public Technique {
 public:
  const Description& description() const override;
  base::Result<void> usable(const vmm::Machine& machine,
                            const vmm::RamLayout& layout) const override;
  base::Result<std::unique_ptr<Access>> open(const vmm::Machine& machine,
                                             const vmm::RamLayout& layout) const override;
};

}  // namespace vitrine::techniques
