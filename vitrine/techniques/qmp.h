// qmp: guest-physical reads through the VM's monitor, the guest running; see monitor_memory.h.
//
// Thread contract: see technique.h.
#pragma once

#include "vitrine/techniques/technique.h"

namespace vitrine::techniques {

class QmpReads final : public Technique {
 public:
  const Description& description() const override;
  base::Result<void> usable(const vmm::Machine& machine,
                            const vmm::RamLayout& layout) const override;
  base::Result<std::unique_ptr<Access>> open(const vmm::Machine& machine,
                                             const vmm::RamLayout& layout) const override;
};

}  // namespace vitrine::techniques
