// The interrupts that have no line: those between the CPUs, of their own timers, and errors, which
// the kernel for x86 counts apart. /proc/interrupts shows them below the lines.
//
// Thread contract: plain values.
#pragma once

#include <string>
#include <vector>

#include "vitrine/base/address.h"
#include "vitrine/base/result.h"
#include "vitrine/kernel/kernel.h"
#include "vitrine/memory/physical_memory.h"

namespace vitrine::views {

struct ProcessorInterrupt {
  std::string name;            // as /proc/interrupts, e.g. "LOC"
  std::string text;            // likewise, e.g. "Local timer interrupts"
  base::GuestVirtual counter;  // 32 bits
  bool per_cpu = true;         // one for each CPU; else one for all
};

// Those that this kernel counts, in the order of /proc/interrupts; none on another architecture.
// Errors: the member that is missing; as reading memory.
base::Result<std::vector<ProcessorInterrupt>> find_processor_interrupts(
    const kernel::Kernel& kernel, memory::PhysicalMemory& memory);

}  // namespace vitrine::views
