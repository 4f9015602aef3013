// The registers of a VM's processors, and its run state, from QMP.
//
// Thread contract: uses the Qmp of one thread. Effect on the guest: to read registers QEMU makes
// each processor leave the guest for some microseconds.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/memory/registers.h"
#include "vitrine/vmm/qmp.h"

namespace vitrine::vmm {

// Parses what `info registers -a` prints, one entry per processor with CR3
// (target/i386/cpu-dump.c).
std::vector<memory::X86Registers> parse_registers(std::string_view text);

// Of every processor, or of the first where QEMU cannot do all at once. Errors: `unsupported` where
// it is no x86 machine; as Qmp.
base::Result<std::vector<memory::X86Registers>> registers(Qmp& qmp);

// The same for the general registers: one entry per processor that is in 64-bit mode, so that RAX
// is printed.
std::vector<memory::X86GeneralRegisters> parse_general_registers(std::string_view text);

// The general registers of every processor. Errors: as registers().
base::Result<std::vector<memory::X86GeneralRegisters>> general_registers(Qmp& qmp);

struct RunState {
  bool running = false;
  std::string status;  // QEMU's word, e.g. running, paused, prelaunch, inmigrate
};

// Errors: as Qmp.
base::Result<RunState> run_state(Qmp& qmp);

// How many virtual processors the VM has. Errors: as Qmp.
base::Result<std::size_t> processor_count(Qmp& qmp);

}  // namespace vitrine::vmm
