// The views `stacks` and `modules` against the guest's own /proc.
#include <map>
#include <sstream>
#include <stdexcept>

#include "tests/live/guest_test.h"
#include "tests/live/view_test.h"

namespace vitrine::live {
namespace {

using nlohmann::json;
using testing::HasSubstr;

using Stack = std::vector<std::string>;

struct Bounds {
  std::uint64_t begin = 0, end = 0;
};

// The scheduler's own functions, which /proc/PID/stack leaves out (in_sched_functions()).
Bounds scheduler(Guest& guest) {
  std::istringstream lines(guest.run("grep -E ' __sched_text_(start|end)$' /proc/kallsyms"));
  std::map<std::string, std::uint64_t> found;
  std::string address;
  std::string type;
  std::string name;
  while (lines >> address >> type >> name) found[name] = std::stoull(address, nullptr, 16);
  return {found.at("__sched_text_start"), found.at("__sched_text_end")};
}

std::map<std::int64_t, Stack> own_stacks(Guest& guest) {
  std::istringstream lines(
      guest.run("for task in /proc/[0-9]*/task/[0-9]*; do echo \"task ${task##*/}\"; cat "
                "$task/stack; done 2>/dev/null; true"));
  std::map<std::int64_t, Stack> stacks;
  std::int64_t pid = 0;
  std::string first;
  std::string rest;
  while (lines >> first && std::getline(lines >> std::ws, rest)) {
    if (!rest.empty() && rest.back() == '\r') rest.pop_back();
    if (first == "task")
      stacks[pid = std::stoll(rest)];
    else
      stacks[pid].push_back(rest);
  }
  return stacks;
}

std::map<std::int64_t, Stack> our_stacks(const Guest& guest, const Bounds& left_out) {
  // Whatever runs at that moment is marked: done in part.
  const Finished shown = vitrine({"stack", guest.name(), "--threads", "--json"});
  if (shown.status != 0 && shown.status != 3) throw std::runtime_error(shown.errors);
  const json rows = json::parse(shown.output).at("rows");
  std::map<std::int64_t, Stack> stacks;
  for (const json& row : rows) {
    // What serves the tests' commands, and what the kernel does for any that runs.
    const std::string comm = row.at("comm");
    if (row.at("pid") == 1 || comm.starts_with("rcu_")) continue;
    Stack& stack = stacks[row.at("pid")];
    if (row.at("address").is_null() || !row.at("runs").is_null()) continue;
    const std::uint64_t address = std::stoull(row.at("address").get<std::string>(), nullptr, 16);
    if (address >= left_out.begin && address < left_out.end) continue;
    std::string line = row.at("function").get<std::string>();
    if (!row.at("module").is_null()) line += " [" + row.at("module").get<std::string>() + "]";
    stack.push_back(line);
  }
  return stacks;
}

class StackTest : public ViewTest {};

TEST_P(StackTest, IsWhatTheGuestsOwnProcShows) {
  Guest& guest = this->guest();
  guest.run("for module in /modules/*; do insmod $module; done 2>/dev/null; true");
  // A task that waits in a module.
  guest.run("cat /dev/vport*p1 >/dev/null 2>&1 & sleep 0.5");
  const Bounds left_out = scheduler(guest);
  const auto before = our_stacks(guest, left_out);
  const auto own = own_stacks(guest);
  const auto after = our_stacks(guest, left_out);
  const auto own_after = own_stacks(guest);
  int compared = 0;
  for (const auto& [pid, stack] : own) {
    // Of tasks that slept all the time.
    if (!before.contains(pid) || !after.contains(pid) || before.at(pid) != after.at(pid)) continue;
    if (stack.empty() || !own_after.contains(pid) || own_after.at(pid) != stack) continue;
    EXPECT_EQ(before.at(pid), stack) << pid;
    ++compared;
  }
  EXPECT_GT(compared, 40);
  if (GetParam() == std::string("6.1")) {
    EXPECT_TRUE(std::ranges::any_of(before, [](const auto& task) {
      return std::ranges::any_of(
          task.second, [](const std::string& line) { return line.ends_with(" [virtio_console]"); });
    })) << "no task waits in the module";
  }
}

class ModuleTest : public ViewTest {};

TEST_P(ModuleTest, AreThoseOfTheGuestsOwnList) {
  Guest& guest = this->guest();
  guest.run("for module in /modules/*; do insmod $module; done 2>/dev/null; true");
  std::string ours;
  const json rows = vitrine_json({"lsmod", guest.name()}).at("rows");
  for (const json& row : rows) {
    std::ostringstream line;
    const std::string used_by =
        row.at("used_by").is_null() ? "-" : row.at("used_by").get<std::string>() + ",";
    line << row.at("name").get<std::string>() << ' ' << row.at("size_bytes") << ' '
         << row.at("users") << ' ' << used_by << " Live " << row.at("address").get<std::string>();
    if (!row.at("taints").is_null()) line << " (" << row.at("taints").get<std::string>() << ')';
    ours += line.str() + "\n";
  }
  std::string own = guest.run("cat /proc/modules");
  std::erase(own, '\r');
  EXPECT_EQ(ours, own);
  EXPECT_THAT(ours, HasSubstr("virtio"));
}

INSTANTIATE_TEST_SUITE_P(Debian, StackTest,
                         testing::Values("5.10", "6.1", "6.12", "7", "6.1-arm64"), linux_name);
// Those of 7 are in a package of their own.
INSTANTIATE_TEST_SUITE_P(Debian, ModuleTest, testing::Values("5.10", "6.1", "6.12", "6.1-arm64"),
                         linux_name);

class StackOf : public GuestTest {
 protected:
  static void SetUpTestSuite() { boot({.name = "stack-of"}); }
};

TEST_F(StackOf, OneTaskIsShownFromTheInnermostFunctionOn) {
  const std::string pid = guest().run("sleep 1000 >/dev/null 2>&1 & echo -n $!");
  const json rows = vitrine_json({"stack", guest().name(), pid}).at("rows");
  ASSERT_GE(rows.size(), 5U);
  EXPECT_THAT(rows[0].at("function").get<std::string>(), testing::StartsWith("__schedule+0x"));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].at("frame"), i);
    EXPECT_EQ(rows[i].at("pid"), std::stoi(pid));
    EXPECT_EQ(rows[i].at("comm"), "sleep");
  }
  EXPECT_THAT(rows.back().at("function").get<std::string>(),
              testing::StartsWith("entry_SYSCALL_64_after_hwframe+0x"));
  guest().run("kill " + pid);
}

// The first of some looks at a task that runs at that moment, in the kernel or in user mode.
json look_at_running(const std::string& vm, const std::string& pid, const std::string& in) {
  for (int i = 0; i < 50; ++i) {
    const Finished shown = vitrine({"stack", vm, pid, "--pause=vmm", "--json"});
    json rows = json::parse(shown.output).at("rows");
    if (shown.status == 0 && rows.at(0).at("runs") == in) return rows;
  }
  return json::array();
}

TEST_F(StackOf, ATaskThatRunsInUserModeIsToldByRegisters) {
  const std::string pid = guest().run("while :; do :; done >/dev/null 2>&1 & echo -n $!");
  const json rows = look_at_running(guest().name(), pid, "user");
  guest().run("kill " + pid);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_TRUE(rows[0].at("function").is_null());
  EXPECT_LT(std::stoull(rows[0].at("address").get<std::string>(), nullptr, 16), 1ULL << 47);
}

// From a system call, whatever the kernel is in at that moment, interrupts included.
TEST_F(StackOf, ATaskThatRunsInTheKernelIsUnwoundFromRegisters) {
  const std::string pid =
      guest().run("dd if=/dev/zero of=/dev/null bs=64M >/dev/null 2>&1 & echo -n $!");
  int whole = 0;
  for (int i = 0; i < 5; ++i) {
    const json rows = look_at_running(guest().name(), pid, "kernel");
    ASSERT_GE(rows.size(), 3U);
    EXPECT_TRUE(std::ranges::any_of(rows, [](const json& row) {
      return row.at("function").get<std::string>().starts_with("ksys_read+0x");
    })) << rows.dump(1);
    if (rows.back().at("function").get<std::string>().starts_with("entry_SYSCALL_64")) ++whole;
  }
  EXPECT_EQ(whole, 5);
  // Without the pause, the registers are of another moment.
  for (int i = 0; i < 50; ++i) {
    const Finished shown = vitrine({"stack", guest().name(), pid, "--json"});
    const json seen = json::parse(shown.output);
    if (seen.at("rows").at(0).at("runs").is_null()) continue;
    EXPECT_THAT(seen.at("warnings").dump(), HasSubstr("--pause=vmm"));
    break;
  }
  guest().run("kill " + pid);
}

TEST_F(StackOf, ATaskThatIsNoneIsNotFound) {
  const Finished none = vitrine({"stack", guest().name(), "99999"});
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.errors, HasSubstr("no task 99999"));
  EXPECT_EQ(vitrine({"stack", guest().name(), "init"}).status, 2);
}

}  // namespace
}  // namespace vitrine::live
