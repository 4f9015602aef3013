#include "vitrine/views/registry.h"

#include <array>

#include "vitrine/views/kernel_log.h"
#include "vitrine/views/processes.h"

namespace vitrine::views {

std::span<const Declaration> all() {
  static const std::array<Declaration, 2> views{{
      {"processes", "ps", "the guest's processes", Processes::declared_columns(),
       [](const kernel::Kernel& kernel, memory::PhysicalMemory& memory) {
         return Processes::attach(kernel, memory, {.threads = false, .command_lines = false});
       }},
      {"log", "dmesg", "the kernel's log", KernelLog::declared_columns(), KernelLog::attach},
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
