// Strings of a guest on their way to a terminal and into JSON. What comes out is valid UTF-8
// without anything deceptive, grows by a factor of four at most, and has the very bytes as its
// inverse. The inverses take whatever a user types.
#include "apps/cli/character.h"
#include "apps/cli/escape.h"
#include "fuzz/fuzzer.h"
#include "fuzz/require.h"

namespace {

using namespace vitrine::cli;
using vitrine::fuzz::require;

void check_valid(std::string_view text, bool harmless) {
  int marks = 4;
  while (!text.empty()) {
    const Character character = first_character(text);
    require(character.code_point.has_value() && character.length <= text.size());
    std::string encoded;
    append_utf8(encoded, *character.code_point);
    require(encoded == text.substr(0, character.length));
    marks = columns_of(*character.code_point) == 0 ? marks + 1 : 0;
    if (harmless) require(!is_deceptive(*character.code_point) && marks <= 4);
    text.remove_prefix(character.length);
  }
}

}  // namespace

VITRINE_FUZZER(escape) {
  const auto text = vitrine::fuzz::text_of(data, size);
  const std::string shown = for_terminal(text);
  check_valid(shown, true);
  require(shown.size() <= 4 * size && from_terminal(shown) == text);
  const std::string json = for_json(text);
  check_valid(json, false);
  require(json.size() <= 4 * size && from_json(json) == text);

  if (const auto typed = from_terminal(text)) {
    require(typed->size() <= size && from_terminal(for_terminal(*typed)) == typed);
  }
  if (const auto typed = from_json(text)) {
    require(typed->size() <= size && from_json(for_json(*typed)) == typed);
  }
  return 0;
}
