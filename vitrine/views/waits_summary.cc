// What the view `waits` says in a few lines for whoever operates the guest.
#include <fmt/format.h>

#include <algorithm>

#include "vitrine/views/waits.h"

namespace vitrine::views {
namespace {

std::string named(const Process& process) {
  return fmt::format("{} ({})", process.pid, name_of(process));
}

}  // namespace

std::string Waits::told(std::size_t number) const {
  const Task& task = tasks_[number];
  std::string text(views::name(task.kind));
  if (is_lock(task.kind)) text.resize(std::min(text.find(' '), text.size()));  // rwsem read
  if (!task.lock_name.empty())
    text += " " + task.lock_name;
  else if (task.lock.value != 0)
    text += " at " + base::to_string(task.lock);
  return text;
}

std::vector<std::string> Waits::summary() const {
  constexpr std::size_t kMaxLines = 10;
  std::vector<std::string> lines;
  for (const std::size_t number : rows_) {
    const WaitGraph::Place& place = graph_[number];
    if (place.root != number || place.waiters == 0 || lines.size() >= kMaxLines) continue;
    lines.push_back(place.deadlock ? deadlock_line(number) : root_line(number));
  }
  return lines;
}

std::string Waits::deadlock_line(std::size_t root) const {
  const auto members = graph_.members(root);
  std::string line = "deadlock: " + named(processes()[root]);
  for (const std::size_t member : members)
    line += fmt::format("{} waits for {} of {}", member == root ? "" : ", which", told(member),
                        named(processes()[tasks_[member].owner]));
  const std::size_t others = graph_[root].waiters + 1 - members.size();
  if (others > 0) line += fmt::format("; {} more wait for them", others);
  return line;
}

std::string Waits::root_line(std::size_t root) const {
  const Task& task = tasks_[root];
  std::string line = "root blocker: " + named(processes()[root]);
  if (task.runs)
    line += " runs";
  else if (task.kind == WaitKind::stopped)
    line += " is stopped";
  else if (task.kind != WaitKind::none)
    line += " waits for " + told(root);
  if (!task.function.empty()) line += " in " + task.function;
  if (task.wait)
    line += fmt::format(" for {:.1f} s", static_cast<double>(task.wait->waited_ns) / 1e9);
  const auto waiter =
      std::ranges::find_if(rows_, [&](std::size_t i) { return tasks_[i].owner == root; });
  if (waiter != rows_.end() && is_lock(tasks_[*waiter].kind)) line += ", has " + told(*waiter);
  line +=
      fmt::format("; {} wait{} for it", graph_[root].waiters, graph_[root].waiters == 1 ? "s" : "");
  return line;
}

}  // namespace vitrine::views
