#include "apps/cli/format.h"

#include <gtest/gtest.h>

#include <limits>

namespace vitrine::cli {
namespace {

using views::Type;
using views::Value;

TEST(Format, Sizes) {
  EXPECT_EQ(size_text(0), "0 B");
  EXPECT_EQ(size_text(1023), "1023 B");
  EXPECT_EQ(size_text(1024), "1.0 KiB");
  EXPECT_EQ(size_text(1024 * 1024 - 1), "1.0 MiB");
  EXPECT_EQ(size_text(std::uint64_t{3} << 29), "1.5 GiB");
  EXPECT_EQ(size_text(std::numeric_limits<std::uint64_t>::max()), "16.0 EiB");
}

TEST(Format, Seconds) {
  EXPECT_EQ(seconds_text(std::uint64_t{12'345'999'999}), "12.345 s");
  EXPECT_EQ(seconds_text(std::int64_t{-1'500'000'000}), "-1.500 s");
  EXPECT_EQ(seconds_text(std::numeric_limits<std::int64_t>::min()), "-9223372036.854 s");
}

TEST(Format, CellsByType) {
  EXPECT_EQ(cell_text(Value{}, Type::integer), "-");
  EXPECT_EQ(cell_text(Value{true}, Type::boolean), "yes");
  EXPECT_EQ(cell_text(Value{false}, Type::boolean), "no");
  EXPECT_EQ(cell_text(Value{std::int64_t{-7}}, Type::integer), "-7");
  EXPECT_EQ(cell_text(Value{std::uint64_t{2048}}, Type::bytes), "2.0 KiB");
  EXPECT_EQ(cell_text(Value{std::int64_t{-1}}, Type::bytes), "-1");
  EXPECT_EQ(cell_text(Value{std::uint64_t{1'000'000'000}}, Type::nanoseconds), "1.000 s");
  EXPECT_EQ(cell_text(Value{std::uint64_t{0xffff888000000000}}, Type::address),
            "0xffff888000000000");
  EXPECT_EQ(cell_text(Value{std::string("a\x1b")}, Type::text), "a\\x1b");
}

TEST(Format, Headings) {
  EXPECT_EQ(heading_of({"rss_bytes", Type::bytes}), "RSS");
  EXPECT_EQ(heading_of({"start_ns", Type::nanoseconds}), "START");
  EXPECT_EQ(heading_of({"start_ns", Type::integer}), "START_NS");
  EXPECT_EQ(heading_of({"kernel_thread", Type::boolean, "", false, "KERNEL"}), "KERNEL");
}

}  // namespace
}  // namespace vitrine::cli
