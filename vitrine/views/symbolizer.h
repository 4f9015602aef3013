// Names addresses of the kernel and of its modules, for tools that show single ones.
//
// Thread contract: as the memory, which outlives it, and so does the kernel. Cost: the list of
// modules is read when an address is first asked for that the kernel itself does not name.
#pragma once

#include <optional>
#include <string>

#include "vitrine/memory/reader.h"
#include "vitrine/paging/virtual_reader.h"
#include "vitrine/views/module_list.h"

namespace vitrine::views {

class Symbolizer {
 public:
  Symbolizer(const kernel::Kernel& kernel, memory::PhysicalMemory& memory);

  // The function or variable that an address belongs to; nothing where none is known.
  std::optional<Function> find(base::GuestVirtual address);

  // "name+0x10", "name+0x10 [module]"; empty where none is known. Hostile text.
  std::string text(base::GuestVirtual address);

 private:
  const kernel::Kernel& kernel_;
  memory::Reader gather_;
  paging::VirtualReader reader_;
  std::optional<ModuleList> modules_;
  bool tried_ = false;
};

}  // namespace vitrine::views
