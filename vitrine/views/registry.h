// The views there are, for whatever takes one by name.
//
// Thread contract: immutable.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "vitrine/views/view.h"

namespace vitrine::kernel {
struct Kernel;
}

namespace vitrine::views {

struct Declaration {
  std::string_view name;     // as in JSON, e.g. "processes"
  std::string_view verb;     // the Linux tool it is named after, e.g. "ps"
  std::string_view summary;  // one line
  std::span<const Column> columns;
  // Attaches the view to a kernel, without what costs extra.
  base::Result<std::unique_ptr<View>> (*attach)(const kernel::Kernel& kernel,
                                                memory::PhysicalMemory& memory);
  bool of_the_moment = true;  // what it shows changes while the guest runs
};

std::span<const Declaration> all();

// By name or verb; `invalid`, with the verbs there are, if there is none.
base::Result<const Declaration*> find(std::string_view name);

}  // namespace vitrine::views
