#include "apps/cli/keyboard.h"

#include <gtest/gtest.h>

#include <vector>

namespace vitrine::cli {
namespace {

using Name = Key::Name;

std::vector<Key> keys(std::string_view input) {
  std::vector<Key> taken;
  while (const auto key = take_key(input)) taken.push_back(*key);
  EXPECT_TRUE(input.empty());
  return taken;
}

TEST(Keyboard, TellsCharactersFromKeysThatAreNone) {
  EXPECT_EQ(
      keys("qP/"),
      (std::vector<Key>{{Name::character, 'q'}, {Name::character, 'P'}, {Name::character, '/'}}));
  EXPECT_EQ(keys("\r\x7f\x03"),
            (std::vector<Key>{{Name::enter}, {Name::backspace}, {Name::interrupt}}));
  EXPECT_EQ(keys("\x1b[A\x1b[B\x1b[5~\x1b[6~\x1bOH\x1b[F"), (std::vector<Key>{{Name::up},
                                                                              {Name::down},
                                                                              {Name::page_up},
                                                                              {Name::page_down},
                                                                              {Name::home},
                                                                              {Name::end}}));
  EXPECT_EQ(keys("\x1b"), (std::vector<Key>{{Name::escape}}));
}

TEST(Keyboard, PassesOverWhatMeansNothing) {
  EXPECT_EQ(keys("\x1b[1;5Ca"), (std::vector<Key>{{Name::character, 'a'}}));
  EXPECT_EQ(keys("\xc3\xa4\x01q"), (std::vector<Key>{{Name::character, 'q'}}));
  EXPECT_TRUE(keys("\x1b[999").empty());
  EXPECT_TRUE(keys("").empty());
}

}  // namespace
}  // namespace vitrine::cli
