#include "apps/cli/top_screen.h"

#include <fmt/format.h>

#include <algorithm>

#include "apps/cli/character.h"
#include "apps/cli/column_index.h"
#include "apps/cli/escape.h"
#include "apps/cli/format.h"
#include "apps/cli/process_list.h"
#include "apps/cli/table.h"

namespace vitrine::cli {
namespace {

using Name = Key::Name;
using Effect = TopScreen::Effect;

constexpr std::string_view kHelp =
    "P  sort by processor share      M  sort by memory\n"
    "T  sort by processor time       N  sort by process id\n"
    "t  children below parents       H  a row for each thread\n"
    "/  show what contains a text in name, arguments or id; Enter keeps it, Escape drops it\n"
    "Arrows, Page Up, Page Down, Home, End  scroll\n"
    "h  this help                    q  quit\n";

constexpr std::array<std::string_view, 8> kShown{"pid",   "uid",       "state",  "threads",
                                                 "share", "rss_bytes", "run_ns", "comm"};

std::string size_or_unknown(const std::optional<std::uint64_t>& bytes) {
  return bytes ? size_text(*bytes) : "?";
}

std::size_t count_of(const TopSample& sample, std::string_view states) {
  std::size_t count = 0;
  for (const auto& [state, number] : sample.states)
    if (states.find(state) != std::string_view::npos) count += number;
  return count;
}

// The chosen columns, and the arguments where there is room for them.
views::Row shown(const views::Row& row, std::vector<views::Column>& columns) {
  views::Row result;
  result.errors = row.errors;
  columns.clear();
  const auto add = [&](std::string_view name) {
    const std::size_t index = index_of(top_columns(), name);
    columns.push_back(top_columns()[index]);
    result.values.push_back(row.values[index]);
  };
  for (const std::string_view name : kShown) add(name);
  add("cmdline");
  return result;
}

}  // namespace

Effect TopScreen::press(const Key& key) {
  if (key.name == Name::interrupt) return Effect::quit;
  if (key.name == Name::resized) return Effect::redraw;
  if (typing_) return type(key);
  if (std::exchange(help_, false) && key != Key{Name::character, 'q'}) return Effect::redraw;
  if (key.name == Name::character) return command(key.character);
  return scroll(key);
}

Effect TopScreen::type(const Key& key) {
  constexpr std::size_t kLongestName = 60;
  if (key.name == Name::character && filter_.size() < kLongestName)
    filter_ += key.character;
  else if (key.name == Name::backspace && !filter_.empty())
    filter_.pop_back();
  else if (key.name == Name::escape)
    filter_.clear();
  typing_ = key.name != Name::enter && key.name != Name::escape;
  first_ = 0;
  return Effect::redraw;
}

Effect TopScreen::order_by(Order order) {
  order_ = order;
  tree_ = false;
  first_ = 0;
  return Effect::redraw;
}

Effect TopScreen::command(char key) {
  switch (key) {
    case 'q':
      return Effect::quit;
    case 'P':
      return order_by(Order::share);
    case 'M':
      return order_by(Order::memory);
    case 'T':
      return order_by(Order::time);
    case 'N':
      return order_by(Order::pid);
    case 't':
      tree_ = !tree_;
      first_ = 0;
      return Effect::redraw;
    case 'H':
      threads_ = !threads_;
      first_ = 0;
      return Effect::collect_anew;
    case '/':
      typing_ = true;
      filter_.clear();
      return Effect::redraw;
    case 'h':
    case '?':
      help_ = true;
      return Effect::redraw;
    default:
      return Effect::none;
  }
}

// How far is seen when it is rendered.
Effect TopScreen::scroll(const Key& key) {
  const auto back = [this](std::size_t rows) { first_ -= std::min(first_, rows); };
  if (key.name == Name::up) back(1);
  if (key.name == Name::page_up) back(page_);
  if (key.name == Name::home) first_ = 0;
  if (key.name == Name::down) ++first_;
  if (key.name == Name::page_down) first_ += page_;
  if (key.name == Name::end) first_ = SIZE_MAX / 2;
  if (key.name == Name::escape) filter_.clear();
  return Effect::redraw;
}

bool TopScreen::passes(const TopProcess& process) const {
  if (filter_.empty() || std::to_string(process.pid).find(filter_) != std::string::npos)
    return true;
  return std::ranges::any_of(
      std::initializer_list<std::string_view>{"comm", "cmdline"}, [&](std::string_view name) {
        const auto* text =
            std::get_if<std::string>(&process.row.values[index_of(top_columns(), name)]);
        return text != nullptr && text->find(filter_) != std::string::npos;
      });
}

std::vector<views::Row> TopScreen::arranged(const TopSample& sample) const {
  std::vector<const TopProcess*> passed;
  for (const TopProcess& process : sample.processes)
    if (passes(process)) passed.push_back(&process);
  const auto key = [this](const TopProcess& process) {
    const auto number = static_cast<double>(process.pid);
    switch (order_) {
      case Order::share:
        return -process.share;
      case Order::memory:
        return -static_cast<double>(process.rss_bytes);
      case Order::time:
        return -static_cast<double>(process.run_ns);
      case Order::pid:
        break;
    }
    return number;
  };
  if (!tree_)
    std::ranges::stable_sort(passed, {},
                             [&key](const TopProcess* process) { return key(*process); });
  std::vector<views::Row> rows;
  rows.reserve(passed.size());
  for (const TopProcess* process : passed) rows.push_back(process->row);
  if (tree_) arrange_as_tree(top_columns(), rows);
  return rows;
}

std::vector<std::string> TopScreen::header(const TopSample& sample) const {
  std::vector<std::string> lines;
  std::string load = "unknown";
  if (sample.system.load)
    load = fmt::format("{:.2f}, {:.2f}, {:.2f}", (*sample.system.load)[0], (*sample.system.load)[1],
                       (*sample.system.load)[2]);
  lines.push_back(fmt::format("top of {}, load {}, through {}", for_terminal(sample.vm), load,
                              sample.technique));
  lines.push_back(fmt::format(
      "{}: {} in all, {} running, {} uninterruptible, {} stopped, {} zombie",
      threads_ ? "Threads" : "Processes", sample.processes.size(), count_of(sample, "R"),
      count_of(sample, "D"), count_of(sample, "Tt"), count_of(sample, "ZX")));
  lines.push_back(fmt::format(
      "CPU: {:.1f}% of {} processors. Memory: {} in all, {} free, {} of files", sample.share,
      sample.system.processors ? std::to_string(*sample.system.processors) : "?",
      size_or_unknown(sample.system.total_bytes), size_or_unknown(sample.system.free_bytes),
      size_or_unknown(sample.system.cached_bytes)));
  lines.push_back(
      fmt::format("Cost of looking: {:.1f}% of a core; {:.1f} ms, {} reads, guest stopped "
                  "{:.1f} ms a refresh",
                  sample.own_share, static_cast<double>(sample.duration_ns) / 1e6, sample.reads,
                  static_cast<double>(sample.stopped_ns) / 1e6));
  if (!sample.notice.empty())
    lines.push_back(for_terminal(sample.notice));
  else if (typing_ || !filter_.empty())
    lines.push_back(fmt::format("Show: {}{}", filter_, typing_ ? "_" : ""));
  else
    lines.emplace_back();
  return lines;
}

std::string TopScreen::render(const TopSample& sample, const Terminal& terminal) {
  std::string text;
  std::vector<std::string> lines = header(sample);
  for (const std::string& line : lines) text += truncate_to(line, terminal.width) + '\n';
  if (help_) return text + std::string(kHelp);
  std::vector<views::Row> rows = arranged(sample);
  if (terminal.height > 0) {
    // The heading of the table is one more line, and the cursor rests on another.
    const std::size_t used = lines.size() + 2;
    page_ = terminal.height > used ? terminal.height - used : 1;
    first_ = std::min(first_, rows.size() - std::min(rows.size(), page_));
    const auto begin = rows.begin() + static_cast<std::ptrdiff_t>(first_);
    rows = std::vector<views::Row>(
        begin, begin + static_cast<std::ptrdiff_t>(std::min(page_, rows.size() - first_)));
  }
  std::vector<views::Column> columns;
  (void)shown({.values = std::vector<views::Value>(top_columns().size()), .errors = {}}, columns);
  for (views::Row& row : rows) row = shown(row, columns);
  return text + make_table(columns, rows, {terminal.width, terminal.colour}).text;
}

}  // namespace vitrine::cli
