// What kernels answered in earlier runs, kept on disk: one file per kernel, named after its build
// id, a few kilobytes each. What is found there is believed only after kernel/recollection.h
// confirms that it stems from this very kernel.
//
// Thread contract: independent calls may run in parallel.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "vitrine/kernel/recollection.h"

namespace vitrine::session {

// What was kept of the kernel of this build id; nothing where that is missing or damaged.
std::optional<kernel::Recollection> load_kernel(std::string_view build_id);

// Keeps it. Failure only costs speed.
void store_kernel(const kernel::Recollection& recollection);

// What is kept of a kernel, and read again; nothing where the text is damaged.
std::string recollection_text(const kernel::Recollection& recollection);
std::optional<kernel::Recollection> parse_recollection(std::string_view text);

}  // namespace vitrine::session
