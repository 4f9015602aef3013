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

bool ModuleList::read(Reader& reader) {
  modules_.clear();
  known_.clear();
  symbol_bytes_.renew();
  if (!fields_.head) return true;  // a kernel without modules
  const base::GuestVirtual head = *fields_.head;
  base::GuestVirtual at;
  CycleGuard guard;
  bool readable = reader.load(head, at.value);
  while (readable && at != head) {
    if (modules_.size() >= kMaxModules || guard.closes(at)) return false;
    readable = read_module(reader, at - fields_.list) && reader.load(at, at.value);
  }
  return readable;
}

bool ModuleList::read_module(Reader& reader, base::GuestVirtual at) {
  Module module;
  module.at = at;
  std::array<char, 56> name{};
  std::uint32_t text_size = 0;
  if (!reader.load_bytes(at + fields_.name, std::as_writable_bytes(std::span(name))) ||
      !reader.load(at + fields_.text, module.text.value) ||
      !reader.load(at + fields_.text_size, text_size))
    return false;
  if (fields_.unwinds &&
      (!reader.load(at + fields_.unwind_addresses, module.unwind_addresses.value) ||
       !reader.load(at + fields_.unwind_entries, module.unwind_entries.value) ||
       !reader.load(at + fields_.unwind_count, module.unwind_count)))
    return false;
  module.name.assign(name.begin(), std::ranges::find(name, '\0'));
  module.text_size = text_size;
  modules_.push_back(std::move(module));
  return true;
}

std::optional<Function> ModuleList::function(Reader& reader, base::GuestVirtual address) {
  if (const Module* module = containing(address)) {
    // Tasks wait in few places.
    if (const auto known = known_.find(address); known != known_.end()) return known->second;
    return known_
        .emplace(address, module_symbol(reader, *module, module->text, module->text_size, address))
        .first->second;
  }
  const auto hit = symbols_.containing(address);
  if (!hit) return std::nullopt;
  const auto next = symbols_.next_address_after(address);
  return Function{hit->name, hit->offset, next ? *next - hit->address : 0, {}};
}

std::optional<Function> ModuleList::variable(Reader& reader, base::GuestVirtual address) {
  const auto& image = reader.space().image;
  if (address - image.start < image.size) return function(reader, address);
  const auto& direct = reader.space().direct;
  if (address - direct.start < direct.size) return std::nullopt;
  if (const auto known = known_.find(address); known != known_.end()) return known->second;
  for (const Module& module : modules_) {
    for (const auto& part : fields_.data) {
      base::GuestVirtual begin;
      std::uint32_t size = 0;
      if (!reader.load(module.at + part.base, begin.value) ||
          !reader.load(module.at + part.size, size) || address < begin || address - begin >= size)
        continue;
      return known_.emplace(address, module_symbol(reader, module, begin, size, address))
          .first->second;
    }
  }
  return std::nullopt;
}

std::optional<ModuleList::SymbolTable> ModuleList::read_symbols(Reader& reader,
                                                                const Module& module) {
  base::GuestVirtual kallsyms;
  base::GuestVirtual entries;
  SymbolTable table;
  std::uint32_t count = 0;
  if (!reader.load(module.at + fields_.kallsyms, kallsyms.value) ||
      !reader.load(kallsyms + fields_.symbols, entries.value) ||
      !reader.load(kallsyms + fields_.symbol_count, count) ||
      !reader.load(kallsyms + fields_.strings, table.strings.value) || count > kMaxSymbols ||
      !symbol_bytes_.spend(count * kSymbolSize))
    return std::nullopt;
  table.entries.resize(count * kSymbolSize);
  if (!reader.load_bytes(entries, table.entries)) return std::nullopt;
  return table;
}

// As find_kallsyms_symbol() in kernel/module/kallsyms.c: the nearest symbol at or below, its size
// up to the next one.
std::optional<Function> ModuleList::module_symbol(Reader& reader, const Module& module,
                                                  base::GuestVirtual begin, std::uint64_t size,
                                                  base::GuestVirtual address) {
  const auto table = read_symbols(reader, module);
  if (!table) return std::nullopt;
  std::uint64_t best = 0;
  std::uint64_t next = begin.value + size;
  std::uint32_t name = 0;
  for (std::size_t i = 1; i < table->size(); ++i) {
    if (!table->is_symbol(i)) continue;
    const std::uint64_t value = table->value(i);
    if (value <= address.value && value > best) {
      best = value;
      name = table->name(i);
    }
    if (value > address.value && value < next) next = value;
  }
  if (name == 0 || best < begin.value) return std::nullopt;
  std::string text;
  if (!load_text(reader, table->strings + name, kMaxName, text)) return std::nullopt;
  return Function{std::move(text), address.value - best, next - best, module.name};
}

}  // namespace vitrine::views
