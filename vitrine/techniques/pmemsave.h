// pmemsave: QEMU's monitor writes the RAM, as physical addresses show it, into a pipe.
//
// Intrusive: the guest is stopped meanwhile, so that the copy is of one instant; without that, a
// guest on KVM would go on until it needs a device. Of all ways to copy through QEMU the slowest,
// but one that every QEMU has, and that works on a VM that can't be migrated.
#pragma once

#include "vitrine/techniques/technique.h"

namespace vitrine::techniques {

class Pmemsave final : public Technique {
 public:
  const Description& description() const override;
  base::Result<void> usable(const vmm::Machine& machine,
                            const vmm::RamLayout& layout) const override;
  base::Result<std::unique_ptr<Access>> open(const vmm::Machine& machine,
                                             const vmm::RamLayout& layout) const override;
};

}  // namespace vitrine::techniques
