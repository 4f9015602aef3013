// background-snapshot: QEMU migrates the RAM as it was at one instant while the guest goes on;
// pages that the guest wants to write are sent first (userfaultfd write protection).
//
// Intrusive: the guest is stopped for some milliseconds, and slower until its RAM is sent. Reads
// are served while it is still arriving: one of a page that has not come yet waits for it.
#pragma once

#include "vitrine/techniques/technique.h"

namespace vitrine::techniques {

class BackgroundSnapshot final : public Technique {
 public:
  const Description& description() const override;
  base::Result<void> usable(const vmm::Machine& machine,
                            const vmm::RamLayout& layout) const override;
  base::Result<std::unique_ptr<Access>> open(const vmm::Machine& machine,
                                             const vmm::RamLayout& layout) const override;
};

}  // namespace vitrine::techniques
