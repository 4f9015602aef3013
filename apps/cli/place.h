// A place in the guest as a user names it: an address, or a symbol with an offset.
//
// Thread contract: pure functions, but for what the kernel's symbols cost.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "vitrine/base/result.h"
#include "vitrine/kernel/kernel.h"

namespace vitrine::cli {

struct Place {
  bool physical = false;  // a guest-physical address, else a guest-virtual one
  std::uint64_t address = 0;
};

// "0xffff…" (hexadecimal, with or without 0x where it has 16 digits), a decimal number, "SYMBOL",
// "SYMBOL+0x10", "SYMBOL-8"; "phys:" before a number makes it guest-physical. Errors: `invalid`
// where it is none of these, `absent` where the kernel has no such symbol.
base::Result<Place> parse_place(std::string_view text, const kernel::SymbolLookup& symbols);

// A number, decimal or hexadecimal after 0x, or one with K, M or G behind it (powers of 1024).
std::optional<std::uint64_t> parse_number(std::string_view text);

}  // namespace vitrine::cli
