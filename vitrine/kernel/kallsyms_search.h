// Finds the tables of kallsyms in a kernel's image, where no VMCOREINFO names them (before 6.0).
//
// The table of tokens gives them away: each character that occurs in names is a token by itself, so
// the strings of the ten digits follow each other in it. That it is the right one is shown by its
// index, 256 offsets that can be computed from it; the others lie before it in the order in which
// scripts/kallsyms.c wrote them until 6.4 (404bad70fcf7), and each has to fit the next.
//
// Thread contract: as the memory.
// Cost: that of image_scan.h: some 20 MB read, about 10 ms.
#pragma once

#include "vitrine/base/result.h"
#include "vitrine/kernel/kallsyms.h"
#include "vitrine/memory/virtual_memory.h"

namespace vitrine::kernel {

// Error: `unsupported` where there are none.
base::Result<KallsymsPlaces> find_kallsyms(memory::VirtualMemory& memory, base::GuestVirtual stext);

}  // namespace vitrine::kernel
