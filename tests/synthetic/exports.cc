// What the kernel exports to its modules: struct kernel_symbol with references relative to their
// own place (include/asm-generic/export.h, include/linux/export-internal.h).

#include <vector>

#include "tests/synthetic/kernel.h"

namespace vitrine::synthetic {

void Kernel::write_exports() {
  std::vector<Symbol> exported;  // sorted by name, as the linker sorts them
  for (const auto& [name, symbol] : symbols_) {
    const bool variable = name == "init_task" || name == "jiffies_64" || name == "nr_cpu_ids" ||
                          name == "__per_cpu_offset" || name == "page_offset_base" ||
                          name == "iomem_resource";
    if (options_.missing_symbols.contains(name)) continue;
    if (variable || name.starts_with("synthetic_driver_function_")) exported.push_back(symbol);
  }
  std::string names(1, '\0');
  std::vector<std::uint32_t> positions;
  for (const Symbol& symbol : exported) {
    positions.push_back(static_cast<std::uint32_t>(names.size()));
    names += symbol.name + '\0';
  }
  constexpr std::uint64_t kEntry = 12;  // value, name, namespace
  const GuestVirtual table =
      place(Section::read_only, "__start___ksymtab", exported.size() * kEntry, 4);
  const GuestVirtual strings = place(Section::read_only, "__ksymtab_strings", names.size(), 1);
  write(strings, names);
  for (std::size_t i = 0; i < exported.size(); ++i) {
    const GuestVirtual entry = table + i * kEntry;
    const std::uint64_t value = exported[i].address + options_.exports_shifted_by;
    put(entry, static_cast<std::uint32_t>(value - entry.value));
    put(entry + 4, static_cast<std::uint32_t>(strings + positions[i] - (entry + 4)));
  }
}

}  // namespace vitrine::synthetic
