// One page walk, step by step: which entries were read on the way, for people.
//
// Thread contract: as the memory. Cost: one load per level.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vitrine/memory/physical_memory.h"
#include "vitrine/paging/walk.h"

namespace vitrine::paging {

struct WalkStep {
  std::string_view table;  // Linux's name of the level: PGD, P4D, PUD, PMD, PTE
  base::GuestPhysical at;  // where the entry is
  std::uint64_t entry = 0;
  bool leaf = false;  // it maps the page itself
};

struct WalkTrace {
  std::vector<WalkStep> steps;  // from the root down, as far as entries could be read
  Fault fault = Fault::none;
  Translation translation;  // where fault is none
};

WalkTrace trace_walk(const Format& format, base::GuestPhysical root, base::GuestVirtual address,
                     memory::PhysicalMemory& memory);

// What an entry allows and says, e.g. "present writable no-execute accessed dirty".
std::string flags_text(const Format& format, std::uint64_t entry);

}  // namespace vitrine::paging
