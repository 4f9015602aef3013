// Where QEMU's machines put RAM in guest-physical memory, as far as a command line decides it.
//
// Thread contract: plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vitrine/base/address.h"
#include "vitrine/memory/physical_memory.h"
#include "vitrine/vmm/command_line.h"

namespace vitrine::vmm {

// How the machine's RAM is divided by the hole below 4 GiB; Arm's has all of it in one piece.
struct PhysicalPlacement {
  std::uint64_t below_4g = 0;                // bytes of RAM from address 0
  base::GuestPhysical above_4g{1ULL << 32};  // where the rest goes
  memory::Range hole;  // something else than the RAM block: video memory, microvm's firmware
  std::string reason;  // for people
};

// The ways the machine's RAM can be placed, the one its type prescribes first; one where all fits
// below the hole anyway (hw/i386/pc_piix.c, pc_init1; pc_q35.c, pc_q35_init; microvm.c;
// hw/arm/virt.c, base_memmap).
std::vector<PhysicalPlacement> physical_placements(const CommandLine& command_line);

// Where the region for plugged-in memory begins (hw/i386/pc.c, pc_memory_init).
base::GuestPhysical device_memory_start(const PhysicalPlacement& placement, std::uint64_t memory);

}  // namespace vitrine::vmm
