// What the guest kernel's own machine code tells where no type does: whether one function calls
// another.
//
// Thread contract: as the memory's. Costs one read of the function.
#pragma once

#include <cstdint>
#include <string_view>

#include "vitrine/base/address.h"
#include "vitrine/base/result.h"
#include "vitrine/kernel/architecture.h"
#include "vitrine/kernel/symbol_lookup.h"
#include "vitrine/memory/virtual_memory.h"

namespace vitrine::kernel {

// Longer than any function worth looking into.
inline constexpr std::uint64_t max_function_bytes = 64u << 10;

// Whether the code [function, function + length) holds a direct call or jump to `target`: on x86-64
// e8 or e9 and a 32-bit distance (Intel SDM vol. 2), on arm64 bl or b (DDI 0487, C6.2). Looks at
// every byte of x86-64 without decoding instructions, so operands that happen to spell such a call
// count too: 1 in 2^32 for each byte. Errors: `invalid` where length is above max_function_bytes,
// and those of the memory.
base::Result<bool> calls(memory::VirtualMemory& memory, Architecture architecture,
                         base::GuestVirtual function, std::uint64_t length,
                         base::GuestVirtual target);

// The same by names; a function ends where the next symbol begins. Error: `absent` where the kernel
// has no such function or target, perhaps because the compiler inlined it.
base::Result<bool> calls(memory::VirtualMemory& memory, Architecture architecture,
                         const SymbolLookup& symbols, std::string_view function,
                         std::string_view target);

}  // namespace vitrine::kernel
