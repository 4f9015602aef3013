// process-vm: reads the VMM's memory with process_vm_readv, many pieces in one system call.
//
// Passive: works on every VM of this host whose process we may read, whatever backs its RAM.
#pragma once

#include "vitrine/techniques/technique.h"

namespace vitrine::techniques {

class ProcessVm final : public Technique {
 public:
  const Description& description() const override;
  base::Result<void> usable(const vmm::Machine& machine,
                            const vmm::RamLayout& layout) const override;
  base::Result<std::unique_ptr<Access>> open(const vmm::Machine& machine,
                                             const vmm::RamLayout& layout) const override;
};

}  // namespace vitrine::techniques
