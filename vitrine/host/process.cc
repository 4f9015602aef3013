#include "vitrine/host/process.h"

#include <dirent.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <string_view>

namespace vitrine::host {
namespace {

template <class Number>
std::optional<Number> whole_number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The field of that index, counting from 0, in a line of fields separated by single blanks.
std::string_view field(std::string_view line, int index) {
  for (; index > 0; --index) {
    const auto blank = line.find(' ');
    if (blank == std::string_view::npos) return {};
    line.remove_prefix(blank + 1);
  }
  return line.substr(0, line.find_first_of(" \n"));
}

}  // namespace

base::Result<ProcessStat> process_stat(pid_t pid, const ProcRoot& proc) {
  auto text = read_file(proc.of(pid, "stat"));
  if (!text) {
    if (text.error().code != base::Code::absent) return base::fail(text.error());
    return base::fail(base::Code::gone, fmt::format("there is no process {}", pid));
  }
  // The name may itself hold parentheses and digits, so the fields count from the last one.
  const std::string_view line = *text;
  const auto open = line.find('(');
  const auto close = line.rfind(')');
  // What follows the name begins with field 3.
  constexpr int kMinorFaults = 10 - 3;
  constexpr int kStartTime = 22 - 3;
  if (open != std::string_view::npos && close != std::string_view::npos && open < close &&
      close + 2 < line.size()) {
    const auto rest = line.substr(close + 2);
    if (const auto start = whole_number<std::uint64_t>(field(rest, kStartTime))) {
      return ProcessStat{{pid, *start},
                         std::string(line.substr(open + 1, close - open - 1)),
                         rest[0],
                         whole_number<std::uint64_t>(field(rest, kMinorFaults)).value_or(0)};
    }
  }
  return base::fail(base::Code::inconsistent, fmt::format("{} is malformed", proc.of(pid, "stat")));
}

base::Result<ProcessIdentity> identify(pid_t pid, const ProcRoot& proc) {
  return process_stat(pid, proc).map([](const ProcessStat& stat) { return stat.identity; });
}

bool alive(const ProcessIdentity& process, const ProcRoot& proc) {
  const auto now = process_stat(process.pid, proc);
  return now && now->identity == process && now->state != 'Z' && now->state != 'X';
}

std::optional<std::uint64_t> status_number(std::string_view status, std::string_view label,
                                           int base) {
  const auto at = status.find(fmt::format("\n{}:\t", label));
  if (at == std::string_view::npos) return std::nullopt;
  status.remove_prefix(at + label.size() + 3);
  // Sizes stand to the right of their column.
  status.remove_prefix(std::min(status.find_first_not_of(' '), status.size()));
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(status.data(), status.data() + status.size(), value, base);
  if (parsed.ec != std::errc{}) return std::nullopt;
  return value;
}

std::vector<pid_t> threads(pid_t pid, const ProcRoot& proc) {
  return processes(ProcRoot{proc.of(pid, "task")});
}

base::Result<std::vector<std::string>> arguments(pid_t pid, const ProcRoot& proc) {
  auto text = read_file(proc.of(pid, "cmdline"), 8 << 20);
  if (!text) return base::fail(text.error());
  std::vector<std::string> list;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\0'), rest.size());
    list.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return list;
}

base::Result<std::string> executable(pid_t pid, const ProcRoot& proc) {
  return read_link(proc.of(pid, "exe")).map(without_deleted_mark);
}

base::Result<pid_t> process_of_thread(pid_t tid, const ProcRoot& proc) {
  auto text = read_file(proc.of(tid, "status"));
  if (!text) return base::fail(text.error());
  constexpr std::string_view kLabel = "\nTgid:\t";
  const auto at = text->find(kLabel);
  if (at != text->npos) {
    const auto rest = std::string_view(*text).substr(at + kLabel.size());
    if (const auto id = whole_number<pid_t>(rest.substr(0, rest.find('\n')))) return *id;
  }
  return base::fail(base::Code::inconsistent, proc.of(tid, "status") + " is malformed");
}

std::vector<pid_t> processes(const ProcRoot& proc) {
  std::vector<pid_t> list;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(proc.path.c_str()), ::closedir);
  if (!folder) return list;
  while (const dirent* entry = ::readdir(folder.get())) {
    const auto pid = whole_number<pid_t>(static_cast<const char*>(entry->d_name));
    if (pid && *pid > 0) list.push_back(*pid);
  }
  std::sort(list.begin(), list.end());
  return list;
}

std::string without_deleted_mark(std::string path) {
  constexpr std::string_view kMark = " (deleted)";
  if (path.ends_with(kMark)) path.resize(path.size() - kMark.size());
  return path;
}

}  // namespace vitrine::host
