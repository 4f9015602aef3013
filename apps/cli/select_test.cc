#include "apps/cli/select.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/cli/columns.h"

namespace vitrine::cli {
namespace {

using testing::ElementsAre;
using views::Type;

const std::vector<views::Column> kSelectColumns = {
    {"pid", Type::integer}, {"comm", Type::text}, {"rss_bytes", Type::bytes}};

std::vector<views::Row> unsorted() {
  return {
      {{std::int64_t{3}, std::string("c"), std::uint64_t{10}}, {}},
      {{std::int64_t{1}, std::string("a"), {}}, {{"rss_bytes", base::Code::unreadable, "gone"}}},
      {{std::int64_t{2}, std::string("b"), std::uint64_t{10}}, {}},
      {{std::int64_t{-4}, std::string("d"), std::uint64_t{9}},
       {{"", base::Code::inconsistent, "torn"}}}};
}

Selected run(const SelectionText& text) {
  const auto selection = parse_selection(text, kSelectColumns);
  EXPECT_TRUE(selection);
  return select(selection.value(), unsorted());
}

std::vector<std::int64_t> pids(const Selected& selected) {
  std::vector<std::int64_t> list;
  for (const views::Row& row : selected.rows) list.push_back(std::get<std::int64_t>(row.values[0]));
  return list;
}

TEST(Select, NothingAskedChangesNothing) {
  const Selected selected = run({});
  EXPECT_THAT(pids(selected), ElementsAre(3, 1, 2, -4));
  EXPECT_EQ(selected.rows[0].values.size(), 3u);
}

TEST(Select, SortsByTypeStablyWithNullLast) {
  EXPECT_THAT(pids(run({.columns = "", .sort = "pid", .where = ""})), ElementsAre(-4, 1, 2, 3));
  EXPECT_THAT(pids(run({.columns = "", .sort = "-pid", .where = ""})), ElementsAre(3, 2, 1, -4));
  EXPECT_THAT(pids(run({.columns = "", .sort = "rss_bytes", .where = ""})),
              ElementsAre(-4, 3, 2, 1));
  EXPECT_THAT(pids(run({.columns = "", .sort = "-rss, pid", .where = ""})),
              ElementsAre(2, 3, -4, 1));
}

TEST(Select, ChoosesColumnsAndTheirErrors) {
  const auto selection = parse_selection({"comm,PID", "", ""}, kSelectColumns);
  ASSERT_TRUE(selection);
  EXPECT_EQ(selection->columns[0].name, "comm");
  EXPECT_EQ(selection->columns[1].name, "pid");
  const std::vector<views::Row> rows = project(*selection, unsorted());
  EXPECT_EQ(std::get<std::string>(rows[0].values[0]), "c");
  EXPECT_EQ(rows[0].values.size(), 2u);
  EXPECT_TRUE(rows[1].errors.empty());
  EXPECT_EQ(rows[3].errors.size(), 1u);
}

TEST(Select, CountsRowsThatCouldNotBeDecided) {
  const Selected selected = run({.columns = "", .sort = "", .where = "rss_bytes >= 10"});
  EXPECT_THAT(pids(selected), ElementsAre(3, 2));
  EXPECT_EQ(selected.undecided, 1u);
}

TEST(Select, FiltersAndSortsByColumnsThatAreNotShown) {
  const Selected selected = run({.columns = "pid", .sort = "-comm", .where = "rss_bytes = 10"});
  EXPECT_THAT(pids(selected), ElementsAre(3, 2));
}

TEST(Select, NamesWhatIsValid) {
  for (const SelectionText& text : {SelectionText{"pidd", "", ""}, SelectionText{"", "pidd", ""},
                                    SelectionText{"pid,,comm", "", ""}, SelectionText{"", "-", ""},
                                    SelectionText{"", "", "pidd = 1"}}) {
    const auto selection = parse_selection(text, kSelectColumns);
    ASSERT_FALSE(selection);
    EXPECT_EQ(selection.error().code, base::Code::invalid);
    EXPECT_EQ(selection.error().remedy, "columns: pid, comm, rss_bytes");
  }
  EXPECT_FALSE(parse_selection({"pid,pid", "", ""}, kSelectColumns));
}

TEST(Order, ComparesAcrossSigns) {
  using views::Value;
  EXPECT_TRUE(order(Value(std::int64_t{-1}), Value(std::uint64_t{1})) < 0);
  EXPECT_TRUE(order(Value(std::uint64_t{1ull << 63}), Value(std::int64_t{-1})) > 0);
  EXPECT_TRUE(order(Value(std::int64_t{5}), Value(std::uint64_t{5})) == 0);
  EXPECT_TRUE(order(Value{}, Value(std::string("z"))) > 0);
}

}  // namespace
}  // namespace vitrine::cli
