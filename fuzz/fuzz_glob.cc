// A user's pattern over a guest's text: the answer is that of the definition written down as
// recursion, in no more steps than pattern times text.
#include <vector>

#include "apps/cli/character.h"
#include "apps/cli/glob.h"
#include "fuzz/fuzzer.h"
#include "fuzz/require.h"

namespace {

using vitrine::fuzz::require;

// matches[t]: whether the rest of the pattern matches the text from t on.
bool matches_by_definition(std::string_view pattern, std::string_view text) {
  std::vector<bool> matches(text.size() + 1, false);
  matches.back() = true;
  for (; !pattern.empty(); pattern.remove_suffix(1)) {
    const char c = pattern.back();
    std::vector<bool> here(text.size() + 1, false);
    here.back() = c == '*' && matches.back();
    for (std::size_t t = text.size(); t-- > 0;) {
      const std::size_t next = t + vitrine::cli::first_character(text.substr(t)).length;
      here[t] = c == '*'   ? matches[t] || here[next]
                : c == '?' ? matches[next]
                           : c == text[t] && matches[t + 1];
    }
    matches = std::move(here);
  }
  return matches.front();
}

}  // namespace

VITRINE_FUZZER(glob) {
  using vitrine::cli::glob_matches;
  if (size > 512) return 0;  // the definition takes the product of both lengths
  const auto input = vitrine::fuzz::text_of(data, size);
  const auto end = std::min(input.find('\n'), input.size());
  const auto pattern = input.substr(0, end);
  const auto text = input.substr(std::min(end + 1, input.size()));
  require(glob_matches(pattern, text) == matches_by_definition(pattern, text));
  require(glob_matches("*", text));
  if (text.find_first_of("*?") == text.npos) require(glob_matches(text, text));
  return 0;
}
