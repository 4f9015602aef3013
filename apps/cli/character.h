// Unicode as far as showing text on a terminal needs it: decoding UTF-8 strictly, the columns a
// character takes, and which characters must never reach a terminal.
//
// Thread contract: pure functions, independent of the locale, so that a table is the same
// everywhere.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace vitrine::cli {

struct Character {
  std::optional<char32_t> code_point;  // absent where the bytes are no UTF-8
  std::size_t length = 1;              // bytes taken; 1 for an invalid byte
};

// The character at the start of `text`, which must not be empty. Overlong forms, surrogates and
// values above U+10FFFF are invalid (Unicode 14, table 3-7).
Character first_character(std::string_view text);

// Appends the UTF-8 form; `code_point` must be a Unicode scalar value.
void append_utf8(std::string& text, char32_t code_point);

// Columns a terminal gives the character: 0 for combining marks, 2 for East Asian wide ones and
// emoji, else 1 (general categories Mn and Me, East_Asian_Width W and F).
int columns_of(char32_t code_point);

// Columns of UTF-8 text without escape sequences; invalid bytes count one each.
std::size_t columns_of(std::string_view text);

// The text cut to at most `columns` columns, the last of them "…" where something was cut; 0 is no
// limit.
std::string truncate_to(std::string_view text, std::size_t columns);

// Whether the character is invisible, moves the cursor, reorders its neighbours or looks like a
// space without being one: general categories Cc, Cf, Co, Zl, Zp, Zs but U+0020,
// Default_Ignorable_Code_Point, the blank braille pattern and noncharacters.
bool is_deceptive(char32_t code_point);

}  // namespace vitrine::cli
