// Stopping a VM's processors through its monitor for as long as this lives.
//
// Thread contract: one thread at a time. Effect on the guest: it stands still; QEMU drains and
// flushes its disks as it stops, which takes far longer than stopping the processors. A VM that was
// paused before stays so.
#pragma once

#include <chrono>
#include <cstdint>

#include "vitrine/base/result.h"
#include "vitrine/vmm/intervention.h"

namespace vitrine::vmm {

class Pause {
 public:
  // Errors: as Qmp; `unsupported` where the VM is in a state that can't be paused, e.g. migrating.
  static base::Result<Pause> begin(Intervention& intervention);

  // Lets the VM go on. Nanoseconds that it stood still because of this; 0 if it was paused before.
  base::Result<std::uint64_t> end();

  // How much of that went by until the monitor had drained the disks and said so.
  std::uint64_t stopping_ns() const { return stopping_ns_; }

 private:
  Change resume_;
  bool ours_ = false;
  std::chrono::steady_clock::time_point since_;
  std::uint64_t stopping_ns_ = 0;
};

// The Undo of whatever stops a VM: lets it go on if it stands still.
bool resume(Qmp& qmp, std::string_view);

}  // namespace vitrine::vmm
