// linux_banner: how a kernel introduces itself ("Linux version …", init/version.c), by which other
// tools recognise the kernel in a memory image.
//
// Thread contract: as the memory. Cost: a page walk and some reads.
#pragma once

#include <string>

#include "vitrine/kernel/kernel.h"
#include "vitrine/memory/physical_memory.h"

namespace vitrine::kernel {

// Its bytes, the line feed and the NUL at its end included: hostile text. Errors: `absent` where
// kallsyms does not name it, `inconsistent` where something else is there, those of the memory.
base::Result<std::string> read_banner(const Kernel& kernel, memory::PhysicalMemory& memory);

}  // namespace vitrine::kernel
