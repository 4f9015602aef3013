// A vCPU's registers as QEMU's dumps keep them beside NT_PRSTATUS, control registers included: the
// content of a note named QEMU (target/i386/arch_dump.c, QEMUCPUState version 1).
//
// Thread contract: pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "vitrine/memory/registers.h"

namespace vitrine::memory {

// Nothing where the content is too short or of another version. EFER is not kept: in a 64-bit dump
// QEMU saw long mode.
std::optional<X86Registers> parse_qemu_cpu_state(std::span<const std::byte> content);

}  // namespace vitrine::memory
