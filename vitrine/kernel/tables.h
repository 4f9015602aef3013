// A kernel's symbol and type tables, read from its memory when they are first needed.
//
// Thread contract: one thread at a time, until both were read; then any number.
// Cost: some megabytes read and decoded, 5 to 10 ms, once.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/kernel/architecture.h"
#include "vitrine/kernel/data_references.h"
#include "vitrine/kernel/exports.h"
#include "vitrine/kernel/symbols.h"
#include "vitrine/kernel/types.h"
#include "vitrine/kernel/vmcoreinfo.h"
#include "vitrine/memory/physical_memory.h"
#include "vitrine/paging/walked_memory.h"

namespace vitrine::kernel {

class Tables {
 public:
  // `memory` outlives this object, or else both tables have been read before it ends.
  Tables(memory::PhysicalMemory& memory, Architecture architecture,
         const paging::AddressSpace& space, Vmcoreinfo info)
      : memory_(&memory), architecture_(architecture), space_(space), info_(std::move(info)) {}
  // Tables that were read already, for tests and tools.
  Tables(Symbols symbols, std::optional<Types> types)
      : symbols_(std::move(symbols)), types_(std::move(types)) {}

  // Valid as long as this object. Errors: as Symbols::read and Types::read.
  base::Result<const Symbols*> symbols();
  base::Result<const Types*> types();

  // The address of each symbol, in their order: from kallsyms, and where that has functions only,
  // also from what the kernel exports, what VMCOREINFO names, and what functions use. Errors: as
  // symbols().
  base::Result<std::vector<std::optional<base::GuestVirtual>>> find(
      std::span<const std::string_view> names);

 private:
  void find_variables(paging::WalkedMemory& walked, const Symbols& symbols);

  memory::PhysicalMemory* memory_ = nullptr;
  Architecture architecture_ = Architecture::x86_64;
  paging::AddressSpace space_;
  std::optional<Vmcoreinfo> info_;
  std::optional<Symbols> symbols_;
  std::optional<Types> types_;
  bool has_functions_only_ = false;  // kallsyms, without CONFIG_KALLSYMS_ALL; then also these:
  std::optional<Exports> exports_;
  std::map<std::string, base::GuestVirtual, std::less<>> variables_;
};

}  // namespace vitrine::kernel
