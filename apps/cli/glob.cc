#include "apps/cli/glob.h"

#include <cstddef>
#include <optional>

#include "apps/cli/character.h"

namespace vitrine::cli {

bool glob_matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  // Only the last star needs another try: what stands before it matched as early as it could.
  std::optional<std::size_t> star;
  std::size_t retry = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      retry = t;
    } else if (p < pattern.size() && pattern[p] == '?') {
      t += first_character(text.substr(t)).length;
      ++p;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star) {
      p = *star + 1;
      retry += first_character(text.substr(retry)).length;
      t = retry;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace vitrine::cli
