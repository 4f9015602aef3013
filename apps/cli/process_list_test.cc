#include "apps/cli/process_list.h"

#include <gtest/gtest.h>

#include "vitrine/views/processes.h"

namespace vitrine::cli {
namespace {

constexpr std::size_t kComm = 3;

// A row of the processes view as far as its presentation goes.
views::Row process(std::int64_t pid, std::int64_t tgid, std::int64_t ppid, std::string comm,
                   std::string state = "S", bool kernel_thread = false, bool exiting = false) {
  views::Row row;
  row.values.resize(views::Processes::declared_columns().size());
  row.values[0] = pid;
  row.values[1] = tgid;
  row.values[2] = ppid;
  row.values[kComm] = std::move(comm);
  row.values[4] = std::move(state);
  row.values[10] = kernel_thread;
  row.values[11] = exiting;
  return row;
}

std::vector<std::string> names(const std::vector<views::Row>& rows) {
  std::vector<std::string> names;
  names.reserve(rows.size());
  for (const views::Row& row : rows) names.push_back(std::get<std::string>(row.values[kComm]));
  return names;
}

TEST(MarkNames, AsPsDoes) {
  std::vector<views::Row> rows{process(1, 1, 0, "init"), process(2, 2, 0, "kthreadd", "S", true),
                               process(3, 3, 1, "gone", "Z", false, true),
                               process(4, 4, 1, "going", "R", false, true)};
  mark_names(views::Processes::declared_columns(), rows);
  EXPECT_EQ(names(rows),
            (std::vector<std::string>{"init", "[kthreadd]", "gone <defunct>", "going <exiting>"}));
}

TEST(ArrangeAsTree, ChildrenStandBelowTheirParent) {
  std::vector<views::Row> rows{process(1, 1, 0, "init"),           process(5, 5, 1, "late"),
                               process(7, 7, 6, "leaf"),           process(6, 6, 1, "shell"),
                               process(8, 5, 1, "thread of late"), process(9, 9, 1234, "orphan")};
  arrange_as_tree(views::Processes::declared_columns(), rows);
  EXPECT_EQ(names(rows), (std::vector<std::string>{"init", "  late", "    thread of late",
                                                   "  shell", "    leaf", "orphan"}));
}

TEST(ArrangeAsTree, EveryRowOfARingIsShownOnce) {
  std::vector<views::Row> rows{process(1, 1, 3, "a"), process(2, 2, 1, "b"), process(3, 3, 2, "c"),
                               process(4, 4, 4, "self")};
  arrange_as_tree(views::Processes::declared_columns(), rows);
  EXPECT_EQ(names(rows), (std::vector<std::string>{"self", "a", "  b", "    c"}));
}

}  // namespace
}  // namespace vitrine::cli
