// libvirt-dump: a copy of the RAM that libvirt has QEMU dump, the guest stopped meanwhile. For VMs
// whose monitor the daemon holds. The daemon writes into a pipe of ours: should this process die,
// QEMU's dump fails, and QEMU lets the guest go on by itself.
//
// Thread contract: see technique.h.
#pragma once

#include "vitrine/techniques/technique.h"

namespace vitrine::techniques {

class LibvirtDump final : public Technique {
 public:
  const Description& description() const override;
  base::Result<void> usable(const vmm::Machine& machine,
                            const vmm::RamLayout& layout) const override;
  base::Result<std::unique_ptr<Access>> open(const vmm::Machine& machine,
                                             const vmm::RamLayout& layout) const override;
};

}  // namespace vitrine::techniques
