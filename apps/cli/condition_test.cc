#include "apps/cli/condition.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace vitrine::cli {
namespace {

using views::Type;

const std::vector<views::Column> kConditionColumns = {
    {"pid", Type::integer},          {"comm", Type::text},
    {"rss_bytes", Type::bytes},      {"kernel_thread", Type::boolean},
    {"start_ns", Type::nanoseconds}, {"cmdline", Type::text}};

// cmdline could not be read, start_ns does not exist.
views::Row sample() {
  return {{std::int64_t{-7}, std::string("ss(h) d"), std::uint64_t{2048}, true, {}, {}},
          {{"cmdline", base::Code::unreadable, "swapped out"}}};
}

Truth truth(std::string_view text) {
  const auto condition = parse_condition(text, kConditionColumns);
  EXPECT_TRUE(condition) << text << ": " << base::to_string(condition.error());
  return condition ? condition->of(sample()) : Truth::unknown;
}

std::string error(std::string_view text) {
  const auto condition = parse_condition(text, kConditionColumns);
  EXPECT_FALSE(condition) << text;
  if (condition) return {};
  EXPECT_EQ(condition.error().code, base::Code::invalid);
  EXPECT_FALSE(condition.error().remedy.empty());
  return condition.error().message;
}

TEST(Condition, ComparesByType) {
  for (const char* text :
       {"pid = -7", "pid==-7", "pid<18446744073709551615", "pid <= -7", "pid>=-7", "pid > -8",
        "pid != 7", "rss_bytes = 2K", "rss_bytes < 10M", "RSS >= 2KiB", "comm = \"ss(h) d\"",
        "comm ~ ss*", "comm ~ 'ss(?) d'", "comm !~ bash", "comm > bash", "kernel_thread",
        "kernel_thread = yes", "kernel_thread != no"})
    EXPECT_EQ(truth(text), Truth::yes) << text;
  for (const char* text :
       {"pid > 0", "rss_bytes > 2K", "comm = ss", "comm ~ s", "not kernel_thread"})
    EXPECT_EQ(truth(text), Truth::no) << text;
}

TEST(Condition, AndBindsTighterThanOr) {
  EXPECT_EQ(truth("pid = -7 or pid = 1 and pid = 2"), Truth::yes);
  EXPECT_EQ(truth("(pid = -7 or pid = 1) and pid = 2"), Truth::no);
  EXPECT_EQ(truth("not pid = 1 and not (pid = 2 or pid = 3)"), Truth::yes);
  EXPECT_EQ(truth("not not kernel_thread"), Truth::yes);
}

TEST(Condition, WhatIsAbsentEqualsNothing) {
  EXPECT_EQ(truth("start_ns = 0"), Truth::no);
  EXPECT_EQ(truth("start_ns != 0"), Truth::yes);
  EXPECT_EQ(truth("start_ns < 1h or start_ns >= 1h"), Truth::no);
  EXPECT_EQ(truth("start_ns = null and pid != null"), Truth::yes);
}

TEST(Condition, WhatIsUnreadableIsUnknown) {
  EXPECT_EQ(truth("cmdline ~ *"), Truth::unknown);
  EXPECT_EQ(truth("not cmdline = x"), Truth::unknown);
  EXPECT_EQ(truth("cmdline = x and pid = 1"), Truth::no);
  EXPECT_EQ(truth("cmdline = x or pid = -7"), Truth::yes);
  EXPECT_EQ(truth("cmdline = null"), Truth::yes);
}

TEST(Condition, QuotesAndEscapes) {
  const views::Row row{{std::int64_t{1}, std::string("a\"b\x1b\\ null")}, {}};
  for (const char* text :
       {R"(comm = "a\"b\x1b\\ null")", R"(comm = 'a"b\x1b\\ null')", R"(comm ~ "*\\*")"})
    EXPECT_EQ(parse_condition(text, kConditionColumns).value().of(row), Truth::yes) << text;
  EXPECT_EQ(parse_condition("comm = \"null\"", kConditionColumns).value().of(row), Truth::no);
}

TEST(Condition, PointsAtMistakes) {
  EXPECT_EQ(error("pidd = 1"), "--where: no column \"pidd\" at character 1");
  EXPECT_EQ(error("pid 7"), "--where: expected an operator after \"pid\" at character 5");
  EXPECT_EQ(error("pid = "), "--where: expected a value at character 7");
  EXPECT_EQ(error("pid = x"), "--where: expected a whole number, not \"x\", at character 7");
  EXPECT_EQ(error("(pid = 1"),
            "--where: expected \")\" for the one opened at character 1 at character 9");
  EXPECT_EQ(error("pid = 1 pid = 2"),
            "--where: expected \"and\", \"or\" or the end at character 9");
  EXPECT_EQ(error("comm = 'x"),
            "--where: the quotation mark is not closed that stands at character 8");
  EXPECT_EQ(error("pid ~ 1*"), "--where: ~ is for text, which \"pid\" is not, at character 1");
  EXPECT_EQ(error("pid < null"),
            "--where: null can only be compared with = and !=, at character 7");
  EXPECT_EQ(error(""), "--where: expected a column at character 1");
  EXPECT_EQ(error("pid = 1 and"), "--where: expected a column at character 12");
}

TEST(Condition, DepthIsBounded) {
  EXPECT_NE(error(std::string(30'000, '(')).find("nested too deeply"), std::string::npos);
  std::string nots;
  for (int i = 0; i < 10'000; ++i) nots += "not ";
  EXPECT_NE(error(nots + "kernel_thread").find("nested too deeply"), std::string::npos);
  const auto condition = parse_condition(std::string(100'000, ' '), kConditionColumns);
  EXPECT_FALSE(condition);
}

TEST(Condition, AnyMixOfPiecesIsParsedOrRefused) {
  const std::string_view pieces[] = {"pid", "comm", "kernel_thread",
                                     "and", "or",   "not",
                                     "(",   ")",    "=",
                                     "!",   "<",    "~",
                                     "1",   "'",    "\"",
                                     "\\",  " ",    "\xff",
                                     "null"};
  std::mt19937 random(3);
  std::size_t parsed = 0;
  for (int i = 0; i < 50'000; ++i) {
    std::string text;
    for (auto n = random() % 14; n > 0; --n)
      text.append(pieces[random() % std::size(pieces)]).append(" ");
    const auto condition = parse_condition(text, kConditionColumns);
    if (!condition) continue;
    (void)condition->of(sample());
    ++parsed;
  }
  EXPECT_GT(parsed, 100u);
}

}  // namespace
}  // namespace vitrine::cli
