// map: maps the guest's shared RAM into this process and reads it in place, zero-copy.
//
// Passive: the mapping is private and read-only, and holes are never filled (see
// host/hole_safe_mapping.h). Works where the VM's RAM is shared: memfd, or a file with share=on.
#pragma once

#include "vitrine/techniques/technique.h"

namespace vitrine::techniques {

class Map final : public Technique {
 public:
  const Description& description() const override;
  base::Result<void> usable(const vmm::Machine& machine,
                            const vmm::RamLayout& layout) const override;
  base::Result<std::unique_ptr<Access>> open(const vmm::Machine& machine,
                                             const vmm::RamLayout& layout) const override;
};

}  // namespace vitrine::techniques
