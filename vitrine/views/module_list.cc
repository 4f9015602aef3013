#include "vitrine/views/module_list.h"

#include <algorithm>

namespace vitrine::views {

// Where the code lies: core_layout until 6.4, then mem[MOD_TEXT] (ac3b43283923).
void ModuleList::resolve(Resolver& at, const kernel::TypeLookup& types, Fields& fields) {
  fields.list = at("module", "list");
  fields.name = at("module", "name");
  const bool several = types.has_member("module", "mem[0].base");
  fields.text = at("module", several ? "mem[0].base" : "core_layout.base");
  fields.text_size = at("module", several ? "mem[0].size" : "core_layout.text_size");
  if (several)  // MOD_DATA, MOD_RODATA and MOD_RO_AFTER_INIT
    for (const std::string memory : {"mem[1].", "mem[2].", "mem[3]."})
      fields.data.push_back({at("module", memory + "base"), at("module", memory + "size")});
  else
    fields.data.push_back({at("module", "core_layout.base"), at("module", "core_layout.size")});
  fields.kallsyms = at("module", "kallsyms");
  fields.symbols = at("mod_kallsyms", "symtab");
  fields.symbol_count = at("mod_kallsyms", "num_symtab");
  fields.strings = at("mod_kallsyms", "strtab");
  fields.unwinds = types.has_member("module", "arch.orc_unwind");
  if (!fields.unwinds) return;
  fields.unwind_addresses = at("module", "arch.orc_unwind_ip");
  fields.unwind_entries = at("module", "arch.orc_unwind");
  fields.unwind_count = at("module", "arch.num_orcs");
}

base::Result<ModuleList> ModuleList::attach(const kernel::Kernel& kernel) {
  Fields fields;
  constexpr std::array<std::string_view, 1> kSymbols{"modules"};
  fields.head = kernel.symbols.find(kSymbols)[0];
  if (fields.head) {
    Resolver at(kernel.types);
    resolve(at, kernel.types, fields);
    if (at.error()) return base::fail(*at.error());
  }
  return ModuleList(fields, kernel.symbols);
}

const Module* ModuleList::containing(base::GuestVirtual address) const {
  const auto found = std::ranges::find_if(
      modules_, [address](const Module& module) { return module.contains(address); });
  return found == modules_.end() ? nullptr : &*found;
}

}  // namespace vitrine::views
