// migrate-file: stops the VM and migrates it into an image file.
//
// Intrusive: the guest is stopped until its RAM is in the file, and goes on from where the
// migration ended. The fastest way to copy all RAM through QEMU: pages that are zero cost next to
// nothing.
#pragma once

#include "vitrine/techniques/technique.h"

namespace vitrine::techniques {

class MigrateFile final : public Technique {
 public:
  const Description& description() const override;
  base::Result<void> usable(const vmm::Machine& machine,
                            const vmm::RamLayout& layout) const override;
  base::Result<std::unique_ptr<Access>> open(const vmm::Machine& machine,
                                             const vmm::RamLayout& layout) const override;
};

}  // namespace vitrine::techniques
