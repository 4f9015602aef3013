// Looks through guest-physical memory for VMCOREINFO notes: every kernel leaves one at the start of
// a page. What is found is a candidate, no more: stale copies of former kernels, a kdump kernel's
// own and forgeries look the same, and have to be told apart by locate.h.
//
// Thread contract: as the memory. Effect on the guest: none beyond the memory's; pages that are not
// populated are not touched. Cost: 24 bytes of every populated page, in batches.
#pragma once

#include <functional>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/kernel/vmcoreinfo.h"
#include "vitrine/memory/physical_memory.h"

namespace vitrine::kernel {

struct Note {
  base::GuestPhysical at;
  std::vector<std::byte> bytes;  // the whole note as it stands in memory
  Vmcoreinfo content;
};

// Calls `on_note` for each note in ascending order until it returns false.
void scan_for_notes(memory::PhysicalMemory& memory, const std::function<bool(Note)>& on_note);

// The note at that very place, if there is a valid one.
std::optional<Note> read_note(memory::PhysicalMemory& memory, base::GuestPhysical at);

}  // namespace vitrine::kernel
