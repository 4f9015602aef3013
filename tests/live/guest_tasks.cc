#include "tests/live/guest_tasks.h"

#include <algorithm>
#include <sstream>
#include <stdexcept>

#include "tests/live/vitrine_command.h"

namespace vitrine::live {
namespace {

using nlohmann::json;

constexpr long long kNanosecondsPerTick = 10'000'000;  // /proc counts start times in 1/100 s

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t at = 0; at + 1 < hex.size(); at += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(at, 2), nullptr, 16));
  }
  return bytes;
}

// /proc/PID/cmdline as `ps` shows it: arguments joined by spaces.
std::string joined(std::string arguments) {
  if (!arguments.empty() && arguments.back() == '\0') arguments.pop_back();
  std::replace(arguments.begin(), arguments.end(), '\0', ' ');
  return arguments;
}

// Lets values be compared and shown whatever bytes they hold.
std::string shown(const json& value) {
  return value.dump(-1, ' ', true, json::error_handler_t::replace);
}

// A row's value of a field in the form of the guest's list; what cannot be compared is as it is.
json comparable(const json& row, const std::string& field) {
  if (field == "start_ticks") {
    const json& start = row.value("start_ns", json());
    return start.is_number() ? json(start.get<long long>() / kNanosecondsPerTick) : start;
  }
  const json value = row.value(field, json());
  return value.is_string() ? json(raw_bytes(value.get<std::string>())) : value;
}

// /proc shows a worker's name with the work it does, and a kernel thread's long name, of which the
// task itself has only the first 15 bytes.
bool same_name(const std::string& row, const std::string& guest, bool kernel_thread) {
  constexpr std::size_t kLongestName = 15;
  if (row == guest) return true;
  if (!kernel_thread || !guest.starts_with(row)) return false;
  return row.size() == kLongestName ||
         (row.starts_with("kworker/") && guest.substr(row.size()).find_first_of("+-") == 0);
}

bool same(const std::string& field, const json& row, const json& guest, bool kernel_thread) {
  if (field == "comm" && row.is_string()) return same_name(row, guest, kernel_thread);
  // NOLINTNEXTLINE(readability-container-size-empty): an empty JSON value is not an empty text
  if (field == "cmdline" && row.is_null()) return kernel_thread || guest == "";
  return row == guest;
}

void compare_task(const json& row, const json& before, const json& after,
                  std::vector<std::string>& found) {
  for (const auto& [field, value] : before.items()) {
    if (after.at(field) != value) continue;
    const json ours = comparable(row, field);
    if (same(field, ours, value, before.at("kernel_thread"))) continue;
    found.push_back("task " + shown(row.at("pid")) + " (" + shown(before.at("comm")) +
                    "): " + field + " is " + shown(ours) + ", the guest says " + shown(value) +
                    "; errors of the row: " + shown(row.value("errors", json())));
  }
}

}  // namespace

TaskList guest_tasks(Guest& guest, Tasks which) {
  TaskList tasks;
  std::istringstream lines(guest.run("guest_tool list"));
  for (std::string line; std::getline(lines, line);) {
    json task = json::parse(line);
    if (which == Tasks::processes && task["pid"] != task["tgid"]) continue;
    task["comm"] = from_hex(task["comm"]);
    task["cmdline"] = joined(from_hex(task["cmdline"]));
    const int id = task["pid"];
    tasks.emplace(id, std::move(task));
  }
  if (tasks.size() < 20) throw std::runtime_error("the guest's own list of tasks is too short");
  return tasks;
}

std::string raw_bytes(const std::string& text) {
  std::string bytes;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool escape = text[at] == '\\' && at + 1 < text.size();
    if (escape && text[at + 1] == 'x' && at + 3 < text.size()) {
      bytes += from_hex(text.substr(at + 2, 2));
      at += 3;
    } else if (escape && text[at + 1] == '\\') {
      bytes += text[at++];
    } else {
      bytes += text[at];
    }
  }
  return bytes;
}

std::vector<std::string> differences(const json& rows, const TaskList& before,
                                     const TaskList& after) {
  std::vector<std::string> found;
  std::map<int, json> seen;
  for (const json& row : rows) {
    const int id = row.at("pid");
    if (!seen.emplace(id, row).second) found.push_back("two rows for task " + std::to_string(id));
    if (!before.contains(id) && !after.contains(id)) {
      found.push_back("the guest knows no task like " + shown(row));
    }
  }
  for (const auto& [id, task] : before) {
    const auto later = after.find(id);
    if (later == after.end()) continue;
    const auto row = seen.find(id);
    if (row == seen.end()) {
      found.push_back("no row for " + shown(task));
    } else {
      compare_task(row->second, task, later->second, found);
    }
  }
  return found;
}

std::vector<std::string> compare_ps(Guest& guest, const std::vector<std::string>& arguments,
                                    Tasks which, const std::vector<std::string>& expected) {
  std::vector<std::string> command{"ps", guest.name()};
  if (which == Tasks::threads) command.emplace_back("--threads");
  command.insert(command.end(), arguments.begin(), arguments.end());
  std::vector<std::string> found;
  for (int attempt = 0; attempt < 3; ++attempt) {
    const TaskList before = guest_tasks(guest, which);
    const json observed = vitrine_json(command);
    found = differences(observed.at("rows"), before, guest_tasks(guest, which));
    std::erase_if(found, [&expected](const std::string& difference) {
      return std::ranges::any_of(expected, [&difference](const std::string& text) {
        return difference.find(text) != std::string::npos;
      });
    });
    if (found.empty()) break;
  }
  return found;
}

TaskList stable(const nlohmann::json& observed) {
  TaskList rows;
  for (nlohmann::json row : observed.at("rows")) {
    for (const char* column : {"state", "rss_bytes", "cpu", "cpu_ns", "utime_ns", "stime_ns",
                               "vsz_bytes", "swap_bytes", "priority", "wchan"})
      row.erase(column);
    rows[row.at("pid").get<int>()] = row;
  }
  return rows;
}

TaskList stable_rows(const std::string& vm, const std::vector<std::string>& arguments) {
  std::vector<std::string> command{"ps", vm};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return stable(vitrine_json(std::move(command)));
}

json rows_of_namespace(const json& rows, Guest& guest, const std::string& pid) {
  const std::string link = guest.run("readlink /proc/" + pid + "/ns/net");
  const std::uint64_t number = std::stoull(link.substr(link.find('[') + 1));
  json found = json::array();
  for (const json& row : rows)
    if (row.at("namespace") == number) found.push_back(row);
  return found;
}

}  // namespace vitrine::live
