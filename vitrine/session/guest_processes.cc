#include "vitrine/session/guest_processes.h"

#include <array>
#include <charconv>
#include <chrono>
#include <optional>
#include <utility>

#include "vitrine/vmm/agent_commands.h"

namespace vitrine::session {
namespace {

using base::Code;
using base::fail;

constexpr std::chrono::seconds kPatience{60};
constexpr std::size_t kLongestName = 256;    // of kernel threads
constexpr std::size_t kLongestOwnName = 15;  // what a process may choose, newlines included

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

// Cuts off the next field of a line.
std::string_view next_field(std::string_view& rest) {
  const std::string_view field = rest.substr(0, rest.find(' '));
  rest.remove_prefix(std::min(field.size() + 1, rest.size()));
  return field;
}

// "PID (NAME) STATE PPID …", of which only the name may hold blanks and parentheses.
std::optional<GuestProcess> parse_line(std::string_view line) {
  const auto open = line.find(" (");
  const auto close = line.rfind(") ");
  if (open == line.npos || close == line.npos || close < open + 2) return std::nullopt;
  GuestProcess process;
  process.comm = line.substr(open + 2, close - open - 2);
  std::string_view rest = line.substr(close + 2);
  const std::string_view state = next_field(rest);
  const auto pid = number<std::int64_t>(line.substr(0, open));
  const auto ppid = number<std::int64_t>(next_field(rest));
  constexpr int kFieldsBetween = 17;  // from pgrp to itrealvalue
  for (int i = 0; i < kFieldsBetween; ++i) next_field(rest);
  const auto start = number<std::uint64_t>(next_field(rest));
  if (!pid || *pid <= 0 || !ppid || state.size() != 1 || !start ||
      process.comm.size() > kLongestName ||
      (process.comm.size() > kLongestOwnName && process.comm.find('\n') != std::string::npos))
    return std::nullopt;
  process.pid = *pid;
  process.ppid = *ppid;
  process.state = state.front();
  process.start_ticks = *start;
  return process;
}

}  // namespace

std::vector<GuestProcess> parse_guest_processes(std::string_view text) {
  std::vector<GuestProcess> processes;
  while (!text.empty()) {
    // Kernels before 4.18 write a newline within a name as it is.
    const auto first = text.find('\n');
    auto end = first;
    auto process = parse_line(text.substr(0, end));
    for (std::size_t i = 0; !process && i < kLongestOwnName && end != text.npos; ++i) {
      end = text.find('\n', end + 1);
      process = parse_line(text.substr(0, end));
    }
    if (!process) end = first;
    if (process) processes.push_back(std::move(*process));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  return processes;
}

base::Result<std::vector<GuestProcess>> list_guest_processes(vmm::AgentIntervention& guest,
                                                             bool threads) {
  constexpr std::array<std::string_view, 2> kNeeded{"guest-exec", "guest-exec-status"};
  if (auto allowed = vmm::require_commands(guest.agent(), kNeeded); !allowed)
    return fail(allowed.error());
  // The shell finds processes as every program does that lists a folder. A process may end before
  // its line is read, which is no error; a failing cat says so in its status.
  const std::string pattern = threads ? "[0-9]*/task/[0-9]*/stat" : "[0-9]*/stat";
  const std::array<std::string, 2> arguments{"-c", "cd /proc && exec cat " + pattern};
  auto output = guest.run("/bin/sh", arguments, kPatience);
  if (!output) return fail(output.error());
  auto processes = parse_guest_processes(output->written);
  if (processes.empty())
    return fail(Code::unreadable,
                "the guest's own list of processes came out empty (its shell ended with status " +
                    std::to_string(output->status) + ")",
                "check in the guest that /proc is mounted where the agent runs");
  return processes;
}

}  // namespace vitrine::session
