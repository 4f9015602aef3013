#include "apps/cli/character.h"

#include <gtest/gtest.h>

namespace vitrine::cli {
namespace {

TEST(Character, EveryScalarValueSurvivesEncodingAndDecoding) {
  for (char32_t c = 0; c <= 0x10ffff; ++c) {
    if (c == 0xd800) c = 0xe000;
    std::string text;
    append_utf8(text, c);
    const Character character = first_character(text + "x");
    ASSERT_EQ(character.code_point, c);
    ASSERT_EQ(character.length, text.size());
  }
}

TEST(Character, RefusesWhatIsNoUtf8) {
  for (const char* text :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xe2\x82", "\xe2\x28\xa1", "\xc3"}) {
    EXPECT_FALSE(first_character(text).code_point) << testing::PrintToString(std::string(text));
    EXPECT_EQ(first_character(text).length, 1u);
  }
}

TEST(Character, CountsColumns) {
  EXPECT_EQ(columns_of("abc"), 3u);
  EXPECT_EQ(columns_of("e\u0301"), 1u);
  EXPECT_EQ(columns_of("日本"), 4u);
  EXPECT_EQ(columns_of("한"), 2u);
  EXPECT_EQ(columns_of("\U0001f600"), 2u);
  EXPECT_EQ(columns_of("…─ä"), 3u);
  EXPECT_EQ(columns_of("\U00020000"), 2u);
}

TEST(Character, TruncatesByColumns) {
  EXPECT_EQ(truncate_to("abcdef", 6), "abcdef");
  EXPECT_EQ(truncate_to("abcdef", 5), "abcd…");
  EXPECT_EQ(truncate_to("abcdef", 1), "…");
  EXPECT_EQ(truncate_to("abcdef", 0), "abcdef");
  EXPECT_EQ(truncate_to("日本語", 5), "日本…");
  EXPECT_EQ(truncate_to("日本語", 4), "日…");
  EXPECT_EQ(truncate_to("xe\u0301yz", 3), "xe\u0301…");
}

TEST(Character, KnowsDeceptiveOnes) {
  for (const unsigned c : {0x0u,    0x1bu,   0x7fu,   0x9bu,    0xa0u,   0xadu,    0x61cu,
                           0x200bu, 0x200eu, 0x202au, 0x202eu,  0x2028u, 0x2029u,  0x2066u,
                           0x2069u, 0xfeffu, 0x3000u, 0xe0041u, 0xe000u, 0x10ffffu})
    EXPECT_TRUE(is_deceptive(c)) << c;
  for (const unsigned c : {0x20u, 0x41u, 0x7eu, 0xe4u, 0x301u, 0x65e5u, 0x2026u, 0x1f600u, 0xfffdu})
    EXPECT_FALSE(is_deceptive(c)) << c;
}

}  // namespace
}  // namespace vitrine::cli
