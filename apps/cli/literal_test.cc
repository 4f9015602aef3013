#include "apps/cli/literal.h"

#include <gtest/gtest.h>

#include <limits>

namespace vitrine::cli {
namespace {

using views::Type;
using views::Value;

Value u(std::uint64_t number) { return number; }

TEST(Literal, Integers) {
  EXPECT_EQ(parse_literal("42", Type::integer), u(42));
  EXPECT_EQ(parse_literal("-42", Type::integer), Value(std::int64_t{-42}));
  EXPECT_EQ(parse_literal("0x10", Type::integer), u(16));
  EXPECT_EQ(parse_literal("18446744073709551615", Type::integer), u(18446744073709551615u));
  EXPECT_EQ(parse_literal("-9223372036854775808", Type::integer),
            Value(std::numeric_limits<std::int64_t>::min()));
  for (const char* word : {"", "-", "x", "1x", "1.5", "18446744073709551616",
                           "-9223372036854775809", "0x", "1 ", "--1", "+1"})
    EXPECT_FALSE(parse_literal(word, Type::integer)) << word;
}

TEST(Literal, AddressesAreNotNegative) {
  EXPECT_EQ(parse_literal("0xffff888000000000", Type::address), u(0xffff888000000000));
  EXPECT_FALSE(parse_literal("-1", Type::address));
}

TEST(Literal, Sizes) {
  EXPECT_EQ(parse_literal("4096", Type::bytes), u(4096));
  EXPECT_EQ(parse_literal("10M", Type::bytes), u(10u << 20));
  EXPECT_EQ(parse_literal("1.5GiB", Type::bytes), u(std::uint64_t{3} << 29));
  EXPECT_EQ(parse_literal("1.5 KiB", Type::bytes), u(1536));
  EXPECT_EQ(parse_literal("2EiB", Type::bytes), u(std::uint64_t{1} << 61));
  EXPECT_EQ(parse_literal("15.9 EiB", Type::bytes), u(18331451923248866918u));
  EXPECT_EQ(parse_literal("0.999999999999P", Type::bytes), u(1125899905716724));
  for (const char* word : {"10X", "1.5", "1.K", "16384P", "16E", "1e3", ".5M"})
    EXPECT_FALSE(parse_literal(word, Type::bytes)) << word;
}

TEST(Literal, Times) {
  EXPECT_EQ(parse_literal("250ms", Type::nanoseconds), u(250'000'000));
  EXPECT_EQ(parse_literal("12.345 s", Type::nanoseconds), u(12'345'000'000));
  EXPECT_EQ(parse_literal("2h", Type::nanoseconds), u(7'200'000'000'000));
  EXPECT_FALSE(parse_literal("2weeks", Type::nanoseconds));
}

TEST(Literal, BooleansAndText) {
  EXPECT_EQ(parse_literal("yes", Type::boolean), Value(true));
  EXPECT_EQ(parse_literal("false", Type::boolean), Value(false));
  EXPECT_FALSE(parse_literal("1", Type::boolean));
  EXPECT_EQ(parse_literal("a\\x1b\\u202e\\\\", Type::text), Value(std::string("a\x1b\u202e\\")));
  EXPECT_FALSE(parse_literal("\\q", Type::text));
}

}  // namespace
}  // namespace vitrine::cli
