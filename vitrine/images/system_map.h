// System.map: a kernel's symbols as nm(1) lists them when it is built, which debuggers and other
// tools take. Written from the guest's kallsyms, which leaves some of them out
// (scripts/kallsyms.c).
//
// Thread contract: pure functions.
#pragma once

#include "vitrine/images/text_output.h"
#include "vitrine/kernel/symbol_list.h"

namespace vitrine::images {

// "ADDRESS KIND NAME", by address, each as kernel::as_linked with `offset`: 0 for where they are in
// the running kernel. Characters that could forge a line are written as \xNN.
void write_system_map(kernel::SymbolList& symbols, std::uint64_t offset, TextOutput& output);

}  // namespace vitrine::images
