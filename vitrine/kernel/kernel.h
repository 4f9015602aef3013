// What is known of one booted guest kernel: found once, from what the guest keeps in its own
// memory, and valid for every technique until the guest reboots.
//
// Thread contract: one thread at a time, since a question that was not asked before may be answered
// from the guest's memory: the memory that it was located in has to live as long.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "vitrine/kernel/architecture.h"
#include "vitrine/kernel/symbol_lookup.h"
#include "vitrine/kernel/type_lookup.h"
#include "vitrine/kernel/vmcoreinfo.h"
#include "vitrine/paging/address_space.h"

namespace vitrine::kernel {

// A fact about the guest, with how it was found, for people.
struct Finding {
  std::string fact;
  std::variant<std::monostate, std::uint64_t, std::string> value;  // nothing: it has none
  std::string found_by;
};

struct Kernel {
  Architecture architecture = Architecture::x86_64;
  std::string release;                  // as uname -r
  std::optional<std::string> build_id;  // absent where the kernel keeps none or garbage
  Vmcoreinfo vmcoreinfo;
  base::GuestPhysical note;  // where the VMCOREINFO note was found
  SymbolLookup symbols;
  TypeLookup types;
  std::shared_ptr<Answers> answers;  // what both have answered so far
  paging::AddressSpace space;
  bool anchored = false;  // a vCPU's page tables were seen to map this very kernel
  std::vector<Finding> findings;
};

}  // namespace vitrine::kernel
