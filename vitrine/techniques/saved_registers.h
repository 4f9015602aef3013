// An optional power of an Access: a copy of one instant that came with the vCPUs' registers of that
// very instant, as QEMU's dumps do. Where an access lacks it, the VMM's monitor is asked.
//
// Thread contract: that of the Access.
#pragma once

#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/memory/registers.h"

namespace vitrine::techniques {

class SavedRegisters {
 public:
  virtual ~SavedRegisters() = default;

  // Of every vCPU, in their order, as of the copy that was taken last. Errors: why there are none.
  virtual base::Result<std::vector<memory::X86GeneralRegisters>> saved_registers() = 0;
};

}  // namespace vitrine::techniques
