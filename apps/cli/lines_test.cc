#include "apps/cli/lines.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace vitrine::cli {
namespace {

TEST(OneRowPerLine, SplitsTextAndKeepsTheRest) {
  constexpr std::array<views::Column, 2> kColumns{{{"number"}, {"text", views::Type::text}}};
  std::vector<views::Row> rows{{{std::uint64_t{1}, std::string("one")}, {}},
                               {{std::uint64_t{2}, std::string("a\n\nb")}, {}},
                               {{std::uint64_t{3}, std::monostate{}}, {}},
                               {{std::uint64_t{4}, std::string()}, {}}};
  one_row_per_line(kColumns, "text", rows);
  ASSERT_EQ(rows.size(), 6U);
  const auto text = [&rows](std::size_t row) { return std::get<std::string>(rows[row].values[1]); };
  EXPECT_EQ(text(0), "one");
  EXPECT_EQ(text(1), "a");
  EXPECT_EQ(text(2), "");
  EXPECT_EQ(text(3), "b");
  EXPECT_EQ(std::get<std::uint64_t>(rows[3].values[0]), 2U);
  EXPECT_EQ(rows[4].values[1].index(), 0U);
  EXPECT_EQ(text(5), "");
}

TEST(ShowMicroseconds, WritesTimesAsDmesgDoes) {
  constexpr std::array<views::Column, 1> kColumns{{{"time_ns", views::Type::nanoseconds}}};
  std::vector<views::Row> rows{{{std::uint64_t{1'000'020'999}}, {}}, {{std::monostate{}}, {}}};
  show_microseconds(kColumns, "time_ns", rows);
  EXPECT_EQ(std::get<std::string>(rows[0].values[0]), "1.000020");
  EXPECT_EQ(rows[1].values[0].index(), 0U);
}

}  // namespace
}  // namespace vitrine::cli
