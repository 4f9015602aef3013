#include "apps/cli/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "apps/cli/character.h"

namespace vitrine::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using views::Column;
using views::Row;
using views::Type;

const std::vector<Column> kTableColumns = {{"pid", Type::integer},
                                           {"comm", Type::text},
                                           {"rss_bytes", Type::bytes},
                                           {"kernel_thread", Type::boolean},
                                           {"cmdline", Type::text}};

Row row(std::int64_t pid, std::string comm, std::uint64_t rss, bool kernel, std::string cmdline) {
  return {{pid, std::move(comm), rss, kernel, std::move(cmdline)}, {}};
}

std::size_t widest_line(const std::string& text) {
  std::istringstream lines(text);
  std::size_t widest = 0;
  for (std::string line; std::getline(lines, line);) widest = std::max(widest, columns_of(line));
  return widest;
}

TEST(Table, AlignsAndFormats) {
  const std::vector<Row> rows = {row(1, "systemd", 1536, false, "/sbin/init"),
                                 row(4711, "日本", 0, true, "")};
  const Table table = make_table(kTableColumns, rows, {});
  EXPECT_EQ(table.text,
            " PID  COMM         RSS  KERNEL_THREAD  CMDLINE\n"
            "   1  systemd  1.5 KiB  no             /sbin/init\n"
            "4711  日本         0 B  yes            \n");
  EXPECT_TRUE(table.notes.empty());
}

TEST(Table, TellsAbsentFromUnreadable) {
  Row absent{{std::int64_t{1}, {}, {}, {}, {}}, {}};
  Row unreadable = absent;
  unreadable.errors = {{"cmdline", base::Code::unreadable, "the page is swapped\x1b out"}};
  const Table table =
      make_table(kTableColumns, std::vector<Row>{absent, unreadable, unreadable}, {});
  EXPECT_THAT(table.text, HasSubstr("1  -       -  -              -\n"));
  EXPECT_THAT(table.text, HasSubstr("1  -       -  -              ?\n"));
  EXPECT_THAT(table.notes,
              ElementsAre("? cmdline: the page is swapped\\x1b out (unreadable), 2 rows"));
}

TEST(Table, NotesAreBounded) {
  std::vector<Row> rows(100);
  for (std::size_t i = 0; i < rows.size(); ++i)
    rows[i].errors = {{"pid", base::Code::unreadable, "reason " + std::to_string(i)}};
  EXPECT_EQ(unreadable_notes(rows).size(), 11u);
  EXPECT_EQ(unreadable_notes(rows).back(), "? 90 more reasons (--json has all)");
}

TEST(Table, NeverShortensWithoutAWidth) {
  const std::string text(5000, 'x');
  EXPECT_THAT(make_table(kTableColumns, std::vector<Row>{row(1, "a", 1, false, text)}, {}).text,
              HasSubstr(text));
}

TEST(Table, ShortensTheWidestText) {
  const std::vector<Row> rows = {row(1, "systemd", 1536, false, std::string(100, 'x'))};
  const Table table = make_table(kTableColumns, rows, {.width = 60});
  EXPECT_EQ(widest_line(table.text), 60u);
  EXPECT_THAT(table.text, HasSubstr("systemd"));
  EXPECT_THAT(table.text, HasSubstr("xx…\n"));
  EXPECT_TRUE(table.notes.empty());
}

TEST(Table, LeavesColumnsOutAndSaysSo) {
  const std::vector<Row> rows = {row(1, "systemd", 1536, false, std::string(100, 'x'))};
  const Table table = make_table(kTableColumns, rows, {.width = 40});
  EXPECT_EQ(widest_line(table.text), 40u);
  EXPECT_THAT(table.text, HasSubstr("PID  COMM         RSS  CMDLINE"));
  EXPECT_THAT(
      table.notes,
      ElementsAre("left out to fit 40 columns: kernel_thread (--columns chooses, --json has all)"));
}

TEST(Table, KeepsColumnsTheUserChose) {
  const std::vector<Row> rows = {row(1, "systemd", 1536, false, std::string(100, 'x'))};
  const Table table = make_table(kTableColumns, rows, {.width = 40, .leave_out = false});
  EXPECT_THAT(table.text, HasSubstr("KERNEL_THREAD"));
  EXPECT_TRUE(table.notes.empty());
}

TEST(Table, FitsEveryWidthThatHoldsTheFirstColumn) {
  const std::vector<Row> rows = {row(1, "日本日本日本", 1536, false, std::string(100, 'x'))};
  for (std::size_t width = 3; width < 130; ++width)
    EXPECT_LE(widest_line(make_table(kTableColumns, rows, {.width = width}).text), width);
}

TEST(Table, ColoursOnlyWhenAsked) {
  const std::vector<Row> rows = {Row{{std::int64_t{1}, std::string("\x1b[31m")}, {}}};
  EXPECT_EQ(make_table(kTableColumns, rows, {}).text.find('\x1b'), std::string::npos);
  const std::string coloured = make_table(kTableColumns, rows, {.colour = true}).text;
  EXPECT_THAT(coloured, HasSubstr("\x1b[1mPID\x1b[0m"));
  EXPECT_THAT(coloured, HasSubstr("\\x1b[31m"));
}

TEST(Table, WithoutRowsIsTheHeading) {
  EXPECT_EQ(make_table(kTableColumns, {}, {}).text, "PID  COMM  RSS  KERNEL_THREAD  CMDLINE\n");
}

}  // namespace
}  // namespace vitrine::cli
