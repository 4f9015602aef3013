// Where a kernel's core timekeeper is.
//
// Thread contract: as the symbols and types.
#pragma once

#include <optional>
#include <string_view>

#include "vitrine/kernel/kernel.h"

namespace vitrine::kernel {

struct Timekeeper {
  base::GuestVirtual at;    // struct timekeeper
  std::string_view symbol;  // what leads there
};

// Nothing where this kernel's symbols do not name it.
std::optional<Timekeeper> find_timekeeper(const Kernel& kernel);

}  // namespace vitrine::kernel
