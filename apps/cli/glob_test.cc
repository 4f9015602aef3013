#include "apps/cli/glob.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace vitrine::cli {
namespace {

// The definition, exponential but obvious.
bool matches_by_definition(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern.front() == '*')
    return matches_by_definition(pattern.substr(1), text) ||
           (!text.empty() && matches_by_definition(pattern, text.substr(1)));
  return !text.empty() && (pattern.front() == '?' || pattern.front() == text.front()) &&
         matches_by_definition(pattern.substr(1), text.substr(1));
}

TEST(Glob, AgreesWithTheDefinition) {
  std::mt19937 random(11);
  const auto make = [&](std::string_view alphabet) {
    std::string text;
    for (auto n = random() % 8; n > 0; --n) text += alphabet[random() % alphabet.size()];
    return text;
  };
  for (int i = 0; i < 50'000; ++i) {
    const std::string pattern = make("ab*?");
    const std::string text = make("ab");
    ASSERT_EQ(glob_matches(pattern, text), matches_by_definition(pattern, text))
        << pattern << " " << text;
  }
}

TEST(Glob, CountsCharactersNotBytes) {
  EXPECT_TRUE(glob_matches("?", "日"));
  EXPECT_TRUE(glob_matches("*?本", "日本"));
  EXPECT_TRUE(glob_matches("?", "\xff"));
  EXPECT_TRUE(glob_matches("*\xff*",
                           "a\xff"
                           "b"));
  EXPECT_FALSE(glob_matches("??", "日"));
}

TEST(Glob, StaysPolynomial) {
  const std::string text(20'000, 'a');
  std::string pattern;
  for (int i = 0; i < 50; ++i) pattern += "a*";
  EXPECT_FALSE(glob_matches(pattern + "b", text));
}

}  // namespace
}  // namespace vitrine::cli
