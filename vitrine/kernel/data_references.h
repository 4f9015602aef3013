// Variables that no table of an arm64 kernel names, found through the functions that use them: an
// address is made of its page (adrp) and its place there (add, or the offset of a load).
//
// Thread contract: as the memory. Cost: a read of each function.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/kernel/symbols.h"
#include "vitrine/memory/virtual_memory.h"

namespace vitrine::kernel {

// What the code of a function refers to: each in ascending order, once.
struct DataReferences {
  std::vector<base::GuestVirtual> taken;   // addresses that are made
  std::vector<base::GuestVirtual> loaded;  // words that are loaded
};

// Those of the arm64 code [function, function + length), length at most 64 KiB (DDI 0487, C6.2:
// ADRP, ADD immediate, LDR immediate of 64 bits). Follows no branches: a register counts as set by
// what stands before. Errors: `invalid` for a longer one, and those of the memory.
base::Result<DataReferences> data_references(memory::VirtualMemory& memory,
                                             base::GuestVirtual function, std::uint64_t length);

// The variables that we know functions of which use nothing else in common: their names and
// addresses. What is not certain is left out.
std::map<std::string, base::GuestVirtual, std::less<>> variables_of_functions(
    memory::VirtualMemory& memory, const Symbols& symbols);

}  // namespace vitrine::kernel
