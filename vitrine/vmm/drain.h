// Stopping a VM through its monitor so that none of its disk requests is under way any more: what
// must be so before memory is shared or replaced that a disk may be reading into, since on host
// kernels that do not pin such pages the data would be lost (Linux before 6.5 or so).
//
// Thread contract: one thread at a time. Effect on the guest: as Pause.
#pragma once

#include <cstdint>
#include <utility>

#include "vitrine/vmm/pause.h"

namespace vitrine::vmm {

class Drain {
 public:
  // Errors: as Pause::begin; `unsupported` where something goes on using the disks though the VM
  // stands still: a block job (mirror, backup), or an export of them; and where the guest suspended
  // itself.
  static base::Result<Drain> begin(Intervention& intervention);

  // Lets the VM go on, as Pause::end.
  base::Result<std::uint64_t> end() { return pause_.end(); }

  // How long the guest had stood still when its disks were at rest, in nanoseconds; 0 if it was
  // paused before.
  std::uint64_t took_ns() const { return pause_.stopping_ns(); }

 private:
  explicit Drain(Pause pause) : pause_(std::move(pause)) {}

  Pause pause_;
};

}  // namespace vitrine::vmm
