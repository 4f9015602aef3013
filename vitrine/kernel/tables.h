// A kernel's symbol and type tables, read from its memory when they are first needed.
//
// Thread contract: one thread at a time, until both were read; then any number.
// Cost: some megabytes read and decoded, 5 to 10 ms, once.
#pragma once

#include <optional>

#include "vitrine/base/result.h"
#include "vitrine/kernel/symbols.h"
#include "vitrine/kernel/types.h"
#include "vitrine/kernel/vmcoreinfo.h"
#include "vitrine/memory/physical_memory.h"
#include "vitrine/paging/address_space.h"

namespace vitrine::kernel {

class Tables {
 public:
  // `memory` outlives this object, or else both tables have been read before it ends.
  Tables(memory::PhysicalMemory& memory, const paging::AddressSpace& space, Vmcoreinfo info)
      : memory_(&memory), space_(space), info_(std::move(info)) {}
  // Tables that were read already, for tests and tools.
  Tables(Symbols symbols, std::optional<Types> types)
      : symbols_(std::move(symbols)), types_(std::move(types)) {}

  // Valid as long as this object. Errors: as Symbols::read and Types::read.
  base::Result<const Symbols*> symbols();
  base::Result<const Types*> types();

 private:
  memory::PhysicalMemory* memory_ = nullptr;
  paging::AddressSpace space_;
  std::optional<Vmcoreinfo> info_;
  std::optional<Symbols> symbols_;
  std::optional<Types> types_;
};

}  // namespace vitrine::kernel
