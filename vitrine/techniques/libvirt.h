// libvirt: guest-physical reads through the libvirt daemon that runs the VM, the guest running; see
// vmm/libvirt_domain.h. It works where the daemon holds the VM's only monitor, as it usually does.
//
// Thread contract: see technique.h.
#pragma once

#include "vitrine/techniques/technique.h"

namespace vitrine::techniques {

class Libvirt final : public Technique {
 public:
  const Description& description() const override;
  base::Result<void> usable(const vmm::Machine& machine,
                            const vmm::RamLayout& layout) const override;
  base::Result<std::unique_ptr<Access>> open(const vmm::Machine& machine,
                                             const vmm::RamLayout& layout) const override;
};

}  // namespace vitrine::techniques
