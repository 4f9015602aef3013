// Values as a user types them in --where, by the type of the column they are compared with.
//
// Thread contract: pure functions.
#pragma once

#include <optional>
#include <string_view>

#include "vitrine/views/value.h"

namespace vitrine::cli {

// integer: decimal or 0x…; bytes: with K, M, G, T, P, E or KiB … (powers of 1024), fractions
// allowed
// ("1.5G"); nanoseconds: with ns, us, ms, s, min, h, d, fractions allowed; address: 0x… or decimal;
// boolean: yes, no, true, false; text: with the escapes that a table shows. Nothing where the word
// is none of that or exceeds 64 bits.
std::optional<views::Value> parse_literal(std::string_view word, views::Type type);

// What parse_literal takes, for a message: "a size such as 4096, 10M or 1.5GiB".
std::string_view expected_literal(views::Type type);

}  // namespace vitrine::cli
