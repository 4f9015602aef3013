// One kernel that a VMCOREINFO note claims to describe, and the checks it has to pass before it is
// believed.
//
// Thread contract: as the memory. Cost: a few page walks each.
#pragma once

#include "vitrine/kernel/architecture.h"
#include "vitrine/kernel/note_scan.h"
#include "vitrine/memory/registers.h"
#include "vitrine/paging/address_space.h"

namespace vitrine::kernel {

struct Candidate {
  Note note;
  Architecture architecture = Architecture::x86_64;
  paging::AddressSpace space;  // format and root; no linear maps yet
  base::GuestVirtual text;     // _stext
  base::GuestPhysical text_physical;
};

// Derives the page-table root from the note and checks that it translates _stext as the note says
// and that init_uts_ns holds the note's release. The error says which check failed.
base::Result<Candidate> examine(Note note, memory::PhysicalMemory& memory);

// Whether a vCPU's own page tables map the candidate's image. Kernel page-table isolation gives
// user mode a root of its own, one page after the kernel's: both are tried.
bool mapped_by(const Candidate& candidate, const memory::X86Registers& registers,
               memory::PhysicalMemory& memory);

}  // namespace vitrine::kernel
