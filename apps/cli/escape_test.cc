#include "apps/cli/escape.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "apps/cli/character.h"

namespace vitrine::cli {
namespace {

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const Character character = first_character(text);
    if (!character.code_point) return false;
    text.remove_prefix(character.length);
  }
  return true;
}

bool holds_only_harmless_characters(std::string_view text) {
  while (!text.empty()) {
    const Character character = first_character(text);
    if (!character.code_point || is_deceptive(*character.code_point)) return false;
    text.remove_prefix(character.length);
  }
  return true;
}

// All byte strings of up to two bytes, then random ones rich in pieces of UTF-8 and escapes.
void for_many_texts(const std::function<void(const std::string&)>& check) {
  check("");
  for (int a = 0; a < 256; ++a) {
    check(std::string(1, static_cast<char>(a)));
    for (int b = 0; b < 256; ++b) check({static_cast<char>(a), static_cast<char>(b)});
  }
  const std::string_view pieces[] = {
      "\\",       "x",        "41",       "\\x",          "u202e", "\xe2\x80\xae",
      "\xcc\x81", "\xf0\x9f", "\x98\x80", "\xed\xa0\x80", "\n",    "\x1b[2J",
      "ä",        "日",       "\"",       "\xff"};
  std::mt19937 random(7);
  for (int i = 0; i < 20000; ++i) {
    std::string text;
    for (auto n = random() % 12; n > 0; --n) {
      if (random() % 3 == 0)
        text += static_cast<char>(random() % 256);
      else
        text += pieces[random() % std::size(pieces)];
    }
    check(text);
  }
}

TEST(EscapeForTerminal, IsHarmlessAndReversible) {
  for_many_texts([](const std::string& text) {
    const std::string shown = for_terminal(text);
    ASSERT_TRUE(holds_only_harmless_characters(shown)) << testing::PrintToString(text);
    ASSERT_EQ(from_terminal(shown), text);
  });
}

TEST(EscapeForJson, IsUtf8AndReversible) {
  for_many_texts([](const std::string& text) {
    const std::string escaped = for_json(text);
    ASSERT_TRUE(is_utf8(escaped)) << testing::PrintToString(text);
    ASSERT_EQ(from_json(escaped), text);
  });
}

TEST(EscapeForTerminal, ShowsWhatItEscapes) {
  EXPECT_EQ(for_terminal("kworker/0:1 ä日"), "kworker/0:1 ä日");
  EXPECT_EQ(for_terminal("a\nb\tc\rd"), "a\\nb\\tc\\rd");
  EXPECT_EQ(for_terminal("\x1b[2J\x7f"), "\\x1b[2J\\x7f");
  EXPECT_EQ(for_terminal("\xff\xc2"), "\\xff\\xc2");
  EXPECT_EQ(for_terminal("\u009b\u202e\ufeff"), "\\u009b\\u202e\\ufeff");
  EXPECT_EQ(for_terminal("\U000e0041"), "\\U000e0041");
  EXPECT_EQ(for_terminal("\\x1b"), "\\\\x1b");
  EXPECT_EQ(for_terminal(std::string("a\0b", 3)), "a\\x00b");
}

TEST(EscapeForTerminal, LetsNoMarkTouchItsNeighbours) {
  EXPECT_EQ(for_terminal("\u0301a"), "\\u0301a");
  EXPECT_EQ(for_terminal("e\u0301"), "e\u0301");
  EXPECT_EQ(for_terminal("\n\u0301"), "\\n\\u0301");
  std::string pile = "a";
  for (int i = 0; i < 100; ++i) pile += "\u0301";
  EXPECT_EQ(columns_of(for_terminal(pile)), 1u + 96u * 6u);
}

TEST(EscapeForJson, LeavesControlsToTheWriter) {
  EXPECT_EQ(for_json("a\n\x1b"), "a\n\x1b");
  EXPECT_EQ(for_json("\xff\\"), "\\xff\\\\");
}

TEST(Unescape, RefusesMalformedEscapes) {
  for (const char* text :
       {"\\", "\\q", "\\x1", "\\xg1", "\\x", "\\u12", "\\U00110000", "\\ud800", "\\x-1"})
    EXPECT_FALSE(from_terminal(text)) << text;
  for (const char* text : {"\\", "\\n", "\\u1234", "\\x1"}) EXPECT_FALSE(from_json(text)) << text;
}

}  // namespace
}  // namespace vitrine::cli
