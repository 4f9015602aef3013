#include "vitrine/views/registry.h"

#include <array>

#include "vitrine/views/files.h"
#include "vitrine/views/kernel_log.h"
#include "vitrine/views/modules.h"
#include "vitrine/views/mounts.h"
#include "vitrine/views/processes.h"
#include "vitrine/views/stacks.h"
#include "vitrine/views/symbol_table.h"

namespace vitrine::views {

std::span<const Declaration> all() {
  static const std::array<Declaration, 7> views{{
      {"processes", "ps", "the guest's processes", Processes::declared_columns(),
       [](const kernel::Kernel& kernel, memory::PhysicalMemory& memory) {
         return Processes::attach(kernel, memory, {.threads = false, .command_lines = false});
       }},
      {"log", "dmesg", "the kernel's log", KernelLog::declared_columns(),
       [](const kernel::Kernel& kernel, memory::PhysicalMemory& memory) {
         return KernelLog::attach(kernel, memory);
       }},
      {"modules", "lsmod", "the guest kernel's modules", Modules::declared_columns(),
       Modules::attach},
      {"mounts", "mount", "what is mounted where", Mounts::declared_columns(), Mounts::attach},
      {"files", "lsof", "files that processes have open", Files::declared_columns(),
       [](const kernel::Kernel& kernel, memory::PhysicalMemory& memory) {
         return Files::attach(kernel, memory, {});
       }},
      {"stacks", "stack", "what tasks wait in", Stacks::declared_columns(),
       [](const kernel::Kernel& kernel, memory::PhysicalMemory& memory) {
         return Stacks::attach(kernel, memory, {.pid = std::nullopt, .threads = false});
       }},
      {"kernel_symbols", "symbols", "symbols of the kernel and its modules",
       SymbolTable::declared_columns(),
       [](const kernel::Kernel& kernel, memory::PhysicalMemory&) {
         return SymbolTable::attach(kernel, {});
       }},
  }};
  return views;
}

base::Result<const Declaration*> find(std::string_view name) {
  std::string known;
  for (const Declaration& view : all()) {
    if (view.name == name || view.verb == name) return &view;
    known += (known.empty() ? "" : ", ") + std::string(view.verb);
  }
  return base::fail(base::Code::invalid, "there is no view \"" + std::string(name) + "\"",
                    "choose one of: " + known);
}

}  // namespace vitrine::views
