// gdb: QEMU's debugger stub. The guest stands still for each observation; see vmm/gdb_stub.h for
// how the stub is opened and left.
//
// Thread contract: see technique.h.
#pragma once

#include "vitrine/techniques/technique.h"

namespace vitrine::techniques {

class Gdb final : public Technique {
 public:
  const Description& description() const override;
  base::Result<void> usable(const vmm::Machine& machine,
                            const vmm::RamLayout& layout) const override;
  base::Result<std::unique_ptr<Access>> open(const vmm::Machine& machine,
                                             const vmm::RamLayout& layout) const override;
};

}  // namespace vitrine::techniques
