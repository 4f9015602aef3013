// What was learned of a VM the last time, kept on disk so that the next attachment is quick. Only
// hints: each is checked against the guest before it is believed, so that a stale, damaged or
// forged one costs time and nothing else.
//
// Kept in the folder of cache_folder.h, one small file per VM named after the host's boot, the
// VMM's process id and its start time.
//
// Thread contract: independent calls may run in parallel; files are replaced atomically.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/base/address.h"
#include "vitrine/memory/physical_memory.h"
#include "vitrine/vmm/machine.h"
#include "vitrine/vmm/ram_layout.h"

namespace vitrine::session {

struct Hints {
  base::GuestPhysical note;                // where the VMCOREINFO note was
  vmm::RamLayout layout;                   // as the monitor told it; no regions: it did not
  std::uint64_t mappings = 0;              // fingerprint of the mappings that the layout belongs to
  std::vector<memory::Range> pieces = {};  // what the last observation read, where it copies
};

// Tells whether a VMM's large mappings are still the same: memory that was plugged in or taken away
// changes it. No protection against forgery, see above. 0 where they can't be read.
std::uint64_t fingerprint_mappings(const vmm::Machine& machine);

// The hints kept for this VM; nothing where there are none or they are no good.
std::optional<Hints> load_hints(const vmm::Machine& machine);

// Keeps hints for this VM, and drops those of VMs not looked at for long. Failure only costs speed.
void store_hints(const vmm::Machine& machine, const Hints& hints);

// Hints as they are kept, and read again; nothing where the text is damaged.
std::string hints_text(const Hints& hints);
std::optional<Hints> parse_hints(std::string_view text);

}  // namespace vitrine::session
