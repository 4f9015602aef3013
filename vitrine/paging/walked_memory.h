// Guest-virtual memory read through page-table walks alone: for the time before a kernel is
// recognised, when nothing but its root is known.
//
// Thread contract: one thread at a time. Cost: a walk per page. Effect: that of the memory.
#pragma once

#include "vitrine/memory/gather_reader.h"
#include "vitrine/memory/virtual_memory.h"
#include "vitrine/paging/address_space.h"

namespace vitrine::paging {

class WalkedMemory final : public memory::VirtualMemory {
 public:
  // `memory` outlives this object.
  WalkedMemory(const Format& format, base::GuestPhysical root, memory::PhysicalMemory& memory)
      : format_(format), root_(root), memory_(memory), tables_(memory) {}

  base::Result<void> read(base::GuestVirtual address, std::span<std::byte> into) override;
  base::Result<Translation> translate(base::GuestVirtual address);

 private:
  const Format& format_;
  base::GuestPhysical root_;
  memory::PhysicalMemory& memory_;
  memory::GatherReader tables_;  // page tables only; the data is copied straight
};

// A fault as an error, e.g. for a row's field.
base::Error error_of(Fault fault, base::GuestVirtual address);

}  // namespace vitrine::paging
