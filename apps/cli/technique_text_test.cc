#include "apps/cli/technique_text.h"

#include <gmock/gmock.h>

#include <array>
#include <fstream>
#include <sstream>

namespace vitrine::cli {
namespace {

using ::testing::HasSubstr;

std::vector<TechniqueEntry> every() {
  std::vector<TechniqueEntry> entries;
  for (const techniques::Technique* technique : techniques::all())
    entries.push_back({technique->description(), {}});
  return entries;
}

TEST(Wrapped, BreaksBetweenWordsAndIndents) {
  EXPECT_EQ(wrapped("one two three", 9, 2), "one two\n  three");
  EXPECT_EQ(wrapped("unbreakable x", 4, 2), "unbreakable\n  x");
  EXPECT_EQ(wrapped("", 10, 2), "");
}

TEST(TechniqueText, NoLineIsWiderThanTheTerminal) {
  std::vector<TechniqueEntry> entries = every();
  entries.front().usable =
      base::fail(base::Code::unsupported, "a reason of some words", "a remedy");
  std::istringstream lines(techniques_text(entries, 60));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 60U) << line;
}

TEST(TechniqueText, SaysWhyNotAndHowToMakeItSo) {
  std::vector<TechniqueEntry> entries = every();
  entries.resize(1);
  entries.front().usable = base::fail(base::Code::unsupported, "the RAM is private", "share it");
  EXPECT_THAT(techniques_text(entries, 0), HasSubstr("no: the RAM is private; share it"));
  entries.front().usable = base::Result<void>();
  EXPECT_THAT(techniques_text(entries, 0), HasSubstr("usable  yes\n"));
}

TEST(TechniqueText, TheReadmeShowsTheTableOfTheRegistry) {
  std::ifstream file(VITRINE_README);
  std::stringstream readme;
  readme << file.rdbuf();
  EXPECT_TRUE(readme.str().find(techniques_markdown(every())) != std::string::npos)
      << "put what `vitrine techniques --markdown` prints into README.md";
}

}  // namespace
}  // namespace vitrine::cli
