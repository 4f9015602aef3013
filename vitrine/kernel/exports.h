// The symbols that a kernel exports to its modules, variables among them: struct kernel_symbol, in
// tables of the image's read-only data (include/linux/export-internal.h). They tell where init_task
// and others are in a kernel whose kallsyms has functions only (without CONFIG_KALLSYMS_ALL).
//
// The tables are found by the name of a variable that every kernel exports: what points to that
// name is an entry, and its neighbours are entries, too. They are believed if they say of functions
// what kallsyms says.
//
// Thread contract: immutable once read. Cost: a read of the image, twice: some 20 ms; 1 MB kept.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/kernel/symbols.h"
#include "vitrine/memory/virtual_memory.h"

namespace vitrine::kernel {

class Exports {
 public:
  static constexpr std::size_t max_entries = 1U << 16;  // in a table, on either side of the first

  // Error: `absent` where there are none that fit `symbols`, as in a kernel without modules.
  static base::Result<Exports> read(memory::VirtualMemory& memory, const Symbols& symbols);

  // The address of the symbol of exactly this name; nullopt where it is not exported.
  std::optional<base::GuestVirtual> find(std::string_view name) const;

 private:
  using Entry = std::pair<std::string, base::GuestVirtual>;

  explicit Exports(std::vector<Entry> entries) : entries_(std::move(entries)) {}

  std::vector<Entry> entries_;  // sorted
};

}  // namespace vitrine::kernel
