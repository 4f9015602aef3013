// dump: QEMU's dump-guest-memory writes an ELF core into a pipe.
//
// Intrusive: QEMU stops the guest until the core is written, and lets it go on itself, even if this
// program dies meanwhile. A VM that was paused stays so.
#pragma once

#include "vitrine/techniques/technique.h"

namespace vitrine::techniques {

class Dump final : public Technique {
 public:
  const Description& description() const override;
  base::Result<void> usable(const vmm::Machine& machine,
                            const vmm::RamLayout& layout) const override;
  base::Result<std::unique_ptr<Access>> open(const vmm::Machine& machine,
                                             const vmm::RamLayout& layout) const override;
};

}  // namespace vitrine::techniques
