#include "apps/cli/process_list.h"

#include <algorithm>
#include <map>
#include <string>

#include "apps/cli/column_index.h"

namespace vitrine::cli {
namespace {

std::int64_t number(const views::Row& row, std::size_t column) {
  const auto* value = std::get_if<std::int64_t>(&row.values[column]);
  return value == nullptr ? -1 : *value;
}

bool is_true(const views::Row& row, std::size_t column) {
  const auto* value = std::get_if<bool>(&row.values[column]);
  return value != nullptr && *value;
}

// Children in the order of the list, each reached once: from the roots down, then from what is
// left.
class Tree {
 public:
  Tree(std::span<const views::Column> columns, const std::vector<views::Row>& rows)
      : rows_(rows), placed_(rows.size()) {
    const std::size_t pid = index_of(columns, "pid");
    const std::size_t tgid = index_of(columns, "tgid");
    const std::size_t ppid = index_of(columns, "ppid");
    std::map<std::int64_t, std::size_t> by_pid;
    for (std::size_t i = 0; i < rows.size(); ++i) by_pid.emplace(number(rows[i], pid), i);
    children_.resize(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const bool is_thread = number(rows[i], pid) != number(rows[i], tgid);
      const auto above = by_pid.find(number(rows[i], is_thread ? tgid : ppid));
      if (above == by_pid.end() || above->second == i)
        roots_.push_back(i);
      else
        children_[above->second].push_back(i);
    }
  }

  // Row numbers with their depth, in the order to show them.
  std::vector<std::pair<std::size_t, std::size_t>> order() {
    for (const std::size_t root : roots_) place(root);
    for (std::size_t i = 0; i < rows_.size(); ++i) place(i);
    return std::move(order_);
  }

 private:
  // Without recursion: a chain of parents may be as long as the list.
  void place(std::size_t root) {
    std::vector<std::pair<std::size_t, std::size_t>> waiting{{root, 0}};
    while (!waiting.empty()) {
      const auto [row, depth] = waiting.back();
      waiting.pop_back();
      if (placed_[row]) continue;
      placed_[row] = true;
      order_.emplace_back(row, depth);
      for (auto child = children_[row].rbegin(); child != children_[row].rend(); ++child)
        waiting.emplace_back(*child, depth + 1);
    }
  }

  const std::vector<views::Row>& rows_;
  std::vector<std::vector<std::size_t>> children_;
  std::vector<std::size_t> roots_;
  std::vector<bool> placed_;
  std::vector<std::pair<std::size_t, std::size_t>> order_;
};

}  // namespace

std::string default_process_columns(bool threads) {
  return std::string(threads ? "pid,tgid," : "pid,") +
         "ppid,uid,state,threads,start_ns,rss_bytes,comm,cmdline";
}

void mark_names(std::span<const views::Column> columns, std::vector<views::Row>& rows) {
  const std::size_t comm = index_of(columns, "comm");
  const std::size_t state = index_of(columns, "state");
  const std::size_t kernel_thread = index_of(columns, "kernel_thread");
  const std::size_t exiting = index_of(columns, "exiting");
  for (views::Row& row : rows) {
    auto* name = std::get_if<std::string>(&row.values[comm]);
    if (name == nullptr) continue;
    if (is_true(row, kernel_thread)) *name = "[" + *name + "]";
    const auto* letter = std::get_if<std::string>(&row.values[state]);
    if (letter != nullptr && *letter == "Z")
      *name += " <defunct>";
    else if (is_true(row, exiting))
      *name += " <exiting>";
  }
}

void arrange_as_tree(std::span<const views::Column> columns, std::vector<views::Row>& rows) {
  constexpr std::size_t kDeepestIndent = 40;  // deeper ones are indented no further
  const std::size_t comm = index_of(columns, "comm");
  std::vector<views::Row> arranged;
  arranged.reserve(rows.size());
  for (const auto& [row, depth] : Tree(columns, rows).order()) {
    arranged.push_back(std::move(rows[row]));
    if (auto* name = std::get_if<std::string>(&arranged.back().values[comm]); name && depth > 0)
      *name = std::string(2 * std::min(depth, kDeepestIndent), ' ') + *name;
  }
  rows = std::move(arranged);
}

}  // namespace vitrine::cli
