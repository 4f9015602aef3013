// Strings of a guest made fit to be shown: nothing in them can move the cursor, forge a row,
// reorder what stands beside them or break JSON, and nothing is lost: each form has an inverse.
//
// Thread contract: pure functions. Their time and memory are linear in the text, a byte becoming at
// most four.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vitrine::cli {

// Text for a terminal, or for a file that will be shown on one. Printable UTF-8 is kept. Escaped
// are
//   \\             the backslash itself, so that no escape can be forged
//   \n \t \r \xNN  other ASCII controls and DEL, and (from \x80 up) each byte that is no UTF-8
//   \uNNNN \UNNNNNNNN  deceptive characters (see is_deceptive), and combining marks that have no
//                  character to combine with or are piled up more than four high.
std::string for_terminal(std::string_view text);

// The bytes that for_terminal was given; nothing where the text has a malformed escape.
std::optional<std::string> from_terminal(std::string_view text);

// Valid UTF-8 to be put into a JSON string: the backslash becomes two, a byte that is no part of
// valid UTF-8 becomes the four characters \xNN, all else stays (the JSON writer represents controls
// itself).
std::string for_json(std::string_view text);

// The bytes that for_json was given; nothing where the text has a malformed escape.
std::optional<std::string> from_json(std::string_view text);

}  // namespace vitrine::cli
