// adopt: gives a running VM RAM that can be mapped, without a restart and without the VMM's
// knowledge; from then on the VM is read by mapping it. Live memory mapping.
//
// Effect on the guest: persistent. Nearly all of its RAM is copied while it runs; it stands still
// a few times for what a fork takes, and once for the pages it wrote to last
// (vitrine/techniques/adoption.h).
#pragma once

#include "vitrine/techniques/technique.h"

namespace vitrine::techniques {

class Adopt final : public Technique {
 public:
  const Description& description() const override;
  base::Result<void> usable(const vmm::Machine& machine,
                            const vmm::RamLayout& layout) const override;
  std::vector<std::string> steps(const vmm::Machine& machine,
                                 const vmm::RamLayout& layout) const override;
  base::Result<std::unique_ptr<Access>> open(const vmm::Machine& machine,
                                             const vmm::RamLayout& layout) const override;
};

}  // namespace vitrine::techniques
