// A vCPU's registers as core files keep them: struct elf_prstatus of x86-64, the content of a note
// NT_PRSTATUS (include/uapi/linux/elfcore.h, arch/x86/include/asm/user_64.h).
//
// Thread contract: pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "vitrine/memory/registers.h"

namespace vitrine::memory {

// `thread` is what debuggers tell the vCPUs by.
std::vector<std::byte> make_prstatus(const X86GeneralRegisters& registers, std::int32_t thread);

// Nothing where the content is too short.
std::optional<X86GeneralRegisters> parse_prstatus(std::span<const std::byte> content);

}  // namespace vitrine::memory
