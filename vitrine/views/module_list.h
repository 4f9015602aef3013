// The guest's loaded kernel modules: where their code is, their own symbols and what unwinds their
// stacks. What views need that name addresses; for people: the view of this list.
//
// Read from the list `modules`, which writers change under module_mutex, and RCU readers walk.
//
// Thread contract: one thread at a time. Cost: about 8 loads a module.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "vitrine/kernel/kernel.h"
#include "vitrine/views/budget.h"
#include "vitrine/views/cycle_guard.h"
#include "vitrine/views/reader.h"
#include "vitrine/views/resolver.h"
#include "vitrine/views/text.h"

namespace vitrine::views {

struct Module {
  base::GuestVirtual at;  // struct module
  std::string name;       // hostile text
  base::GuestVirtual text;
  std::uint64_t text_size = 0;  // bytes
  base::GuestVirtual unwind_addresses, unwind_entries;
  std::uint32_t unwind_count = 0;

  bool contains(base::GuestVirtual address) const {
    return address >= text && address - text < text_size;
  }
};

// A function that an address belongs to.
struct Function {
  std::string name;
  std::uint64_t offset = 0;  // bytes from its beginning to the address
  std::uint64_t size = 0;    // bytes; 0 where unknown
  std::string module;        // empty: the kernel itself
};

class ModuleList {
 public:
  // Errors: the member or symbol that is missing.
  static base::Result<ModuleList> attach(const kernel::Kernel& kernel);

  // Reads the list anew; false where it breaks off or does not end: what was read until then stays.
  bool read(Reader& reader);

  const std::vector<Module>& modules() const { return modules_; }

  // The module whose code holds the address; null where there is none.
  const Module* containing(base::GuestVirtual address) const;

  // Calls `each` with every symbol of a module: its name, hostile text, and its address. False
  // where they can't be read.
  template <class Each>
  bool for_each_symbol(Reader& reader, const Module& module, Each&& each);

  // The function of the kernel or of a module that holds the address.
  std::optional<Function> function(Reader& reader, base::GuestVirtual address);

  // The variable of the kernel or of a module that holds the address. Memory that was allocated has
  // no name. Cost: some loads a module.
  std::optional<Function> variable(Reader& reader, base::GuestVirtual address);

 private:
  static constexpr std::size_t kMaxModules = 16'384;
  static constexpr std::uint32_t kMaxSymbols = 1U << 20;
  static constexpr std::size_t kMaxName = 512;                   // KSYM_NAME_LEN
  static constexpr std::size_t kSymbolSize = 24;                 // Elf64_Sym
  static constexpr std::uint64_t kMostSymbolBytes = 512U << 20;  // read in one collection

  struct Fields {
    std::optional<base::GuestVirtual> head;
    std::uint32_t list = 0, name = 0, text = 0, text_size = 0, kallsyms = 0;
    std::uint32_t unwind_addresses = 0, unwind_entries = 0, unwind_count = 0;
    bool unwinds = false;  // modules carry ORC tables
    std::uint32_t symbols = 0, symbol_count = 0, strings = 0;
    // Where a module's variables are.
    struct Part {
      std::uint32_t base = 0, size = 0;
    };
    std::vector<Part> data = {};
  };

  ModuleList(Fields fields, kernel::SymbolLookup symbols)
      : fields_(std::move(fields)), symbols_(std::move(symbols)) {}

  static void resolve(Resolver& at, const kernel::TypeLookup& types, Fields& fields);

  // A module's own symbols, as the kernel keeps them.
  struct SymbolTable {
    std::vector<std::byte> entries;  // Elf64_Sym
    base::GuestVirtual strings;

    std::uint32_t name(std::size_t index) const { return load<std::uint32_t>(index, 0); }
    std::uint16_t section(std::size_t index) const { return load<std::uint16_t>(index, 6); }
    std::uint64_t value(std::size_t index) const { return load<std::uint64_t>(index, 8); }
    std::size_t size() const { return entries.size() / kSymbolSize; }
    // Symbols without a name or a place are none.
    bool is_symbol(std::size_t index) const { return section(index) != 0 && name(index) != 0; }

   private:
    template <class T>
    T load(std::size_t index, std::size_t offset) const {
      T value{};
      std::memcpy(&value, entries.data() + index * kSymbolSize + offset, sizeof value);
      return value;
    }
  };

  bool read_module(Reader& reader, base::GuestVirtual at);
  // `begin` and `size`: of the part of the module that holds the address.
  std::optional<Function> module_symbol(Reader& reader, const Module& module,
                                        base::GuestVirtual begin, std::uint64_t size,
                                        base::GuestVirtual address);
  std::optional<SymbolTable> read_symbols(Reader& reader, const Module& module);

  Fields fields_;
  kernel::SymbolLookup symbols_;
  std::vector<Module> modules_;
  std::map<base::GuestVirtual, std::optional<Function>> known_;  // of modules, in this collection
  Budget symbol_bytes_{kMostSymbolBytes};
};

template <class Each>
bool ModuleList::for_each_symbol(Reader& reader, const Module& module, Each&& each) {
  const auto table = read_symbols(reader, module);
  if (!table) return false;
  for (std::size_t i = 1; i < table->size(); ++i) {
    if (!table->is_symbol(i)) continue;
    std::string name;
    if (!load_text(reader, table->strings + table->name(i), kMaxName, name)) return false;
    each(std::move(name), base::GuestVirtual(table->value(i)));
  }
  return true;
}

}  // namespace vitrine::views
