// Replaces the RAM of a running VM by memory that others can map (host/memory_replacement.h), so
// that neither its guest nor its disks lose anything.
//
// Thread contract: one thread. Effect on the guest: persistent. It stands still while its RAM is
// copied on write, once or a few times, and while what it wrote to since is copied, its disks being
// at rest; it runs while all the rest is copied.
#pragma once

#include <cstdint>

#include "vitrine/base/result.h"
#include "vitrine/vmm/machine.h"
#include "vitrine/vmm/ram_layout.h"

namespace vitrine::techniques {

struct Adopted {
  vmm::RamLayout layout;         // with what is behind the RAM now
  std::uint64_t stopped_ns = 0;  // of the guest, all in all
  std::uint64_t drained_ns = 0;  // of that, until its disks were at rest
};

// Whether the VM's RAM could be replaced now, as far as that can be told without trying. Errors:
// `unsupported` with the reason; as host::can_be_stopped and vmm::open_qmp.
base::Result<void> can_be_adopted(const vmm::Machine& machine, const vmm::RamLayout& layout);

// Does it. Errors: as can_be_adopted, vmm::Drain, host::ProcessCopy and host::MemoryReplacement;
// the VM then has its RAM as before.
base::Result<Adopted> adopt_ram(const vmm::Machine& machine, const vmm::RamLayout& layout);

}  // namespace vitrine::techniques
