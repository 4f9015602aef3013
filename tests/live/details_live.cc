// The columns of `vitrine ps` that are collected on demand against the guest's own
// /proc/PID/{stat,status,cgroup,ns,wchan}.
#include <set>
#include <sstream>

#include "tests/live/view_test.h"

namespace vitrine::live {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr std::uint64_t kNanosecondsPerTick = 10'000'000;  // /proc counts in 1/100 s

// What the guest's /proc says of each task, with the fields named as in the rows of `ps`.
TaskList own_details(Guest& guest, const std::string& which) {
  TaskList tasks;
  std::istringstream lines(guest.run("guest_tool details " + which));
  for (std::string line; std::getline(lines, line);) {
    json task = json::parse(line);
    if (!task.contains("gone")) tasks.emplace(task.at("pid").get<int>(), std::move(task));
  }
  return tasks;
}

json value_of(const json& row, const std::string& field) {
  if (!field.ends_with("_ticks")) return row.value(field, json());
  const std::string name = field.substr(0, field.find('_')) + "_ns";
  return row.at(name).get<std::uint64_t>() / kNanosecondsPerTick;
}

// What lists the details has its process wait elsewhere than afterwards, and the threads of RCU:
// grace periods go on while it lists, and end when it rests. Threads of the kernel wander.
bool moves_meanwhile(const json& row, const std::string& field) {
  const bool lists = row.at("pid") == 1 && (field == "wchan" || field == "cpu");
  const bool of_rcu = field == "wchan" && row.at("kernel_thread") &&
                      row.at("comm").get<std::string>().starts_with("rcu_");
  return lists || of_rcu || (field == "cpu" && row.at("kernel_thread"));
}

// Where the rows differ from what the guest said both before and after they were collected.
std::vector<std::string> differences_of(const TaskList& rows, const TaskList& before,
                                        const TaskList& after) {
  std::vector<std::string> found;
  for (const auto& [pid, task] : before) {
    const auto later = after.find(pid);
    const auto row = rows.find(pid);
    if (later == after.end()) continue;
    if (row == rows.end()) {
      found.push_back("no row for task " + std::to_string(pid));
      continue;
    }
    for (const auto& [field, value] : task.items()) {
      if (later->second.at(field) != value || moves_meanwhile(row->second, field)) continue;
      const json ours = value_of(row->second, field);
      if (ours != value)
        found.push_back(std::to_string(pid) + " (" + row->second.at("comm").get<std::string>() +
                        "): " + field + " is " + ours.dump() + ", the guest says " + value.dump());
    }
  }
  return found;
}

class DetailsTest : public ViewTest {
 protected:
  void SetUp() override {
    ViewTest::SetUp();
    if (IsSkipped()) return;
    make_unusual_processes();
  }

  void make_unusual_processes() {
    guest().run(
        "mkdir -p /dev/pts /sys/fs/cgroup && mount -t devpts pts /dev/pts && "
        "mount -t cgroup2 cgroup /sys/fs/cgroup && "
        "mkdir -p '/sys/fs/cgroup/a slice/b.scope' /sys/fs/cgroup/plain");
    for (const char* what : {"nice", "eager", "fifo", "rr", "batch", "idle", "deadline", "pinned",
                             "capable", "no-new-privs", "filtered", "strict", "terminal", "busy",
                             "apart", "own-users", "grouped"})
      guest().run(std::string("guest_tool unusual ") + what);
    guest().run(
        "for p in $(pidof guest_tool); do read -r n </proc/$p/comm; "
        "case $n in grouped) echo $p >'/sys/fs/cgroup/a slice/b.scope/cgroup.procs';; "
        "nice) echo $p >/sys/fs/cgroup/plain/cgroup.procs;; esac; done");
    guest().run("unshare -p -f sleep 1000 >/dev/null 2>&1 & sleep 1");
  }

  // Rows by pid; one that waits elsewhere now and then is looked at again.
  std::vector<std::string> compare(const std::string& which) {
    std::vector<std::string> command{"ps", guest().name()};
    if (which == "threads") command.emplace_back("--threads");
    std::vector<std::string> found;
    for (int attempt = 0; attempt < 8; ++attempt) {
      const TaskList before = own_details(guest(), which);
      EXPECT_GT(before.size(), 60U);
      rows_.clear();
      const json observed = vitrine_json(command);
      for (const json& row : observed.at("rows")) rows_.emplace(row.at("pid").get<int>(), row);
      found = differences_of(rows_, before, own_details(guest(), which));
      if (found.empty()) break;
    }
    return found;
  }

  json named(const std::string& comm) const {
    for (const auto& [pid, row] : rows_)
      if (row.at("comm") == comm) return row;
    return {};
  }

 private:
  TaskList rows_;
};

TEST_P(DetailsTest, AreThoseOfTheGuestsOwnProc) {
  EXPECT_THAT(compare("processes"), testing::IsEmpty());
  // What was made unusual is so, lest both sides agree on nothing.
  EXPECT_EQ(named("nice").at("nice"), 7);
  EXPECT_EQ(named("nice").at("priority"), 27);
  EXPECT_EQ(named("nice").at("cgroup"), "/plain");
  EXPECT_EQ(named("eager").at("nice"), -13);
  EXPECT_EQ(named("fifo").at("policy"), "SCHED_FIFO");
  EXPECT_EQ(named("fifo").at("rt_priority"), 42);
  EXPECT_EQ(named("deadline").at("policy"), "SCHED_DEADLINE");
  EXPECT_EQ(named("pinned").at("cpu"), 1);
  EXPECT_EQ(named("grouped").at("cgroup"), "/a slice/b.scope");
  EXPECT_EQ(named("capable").at("cap_ambient"), "0000000000002000");
  EXPECT_EQ(named("no-new-privs").at("no_new_privs"), true);
  EXPECT_EQ(named("filtered").at("seccomp"), "filter");
  EXPECT_EQ(named("strict").at("seccomp"), "strict");
  EXPECT_EQ(named("strict").at("wchan").get<std::string>().find("pipe") == std::string::npos,
            false);
  EXPECT_EQ(named("terminal").at("tty"), "pts/0");
  EXPECT_NE(named("apart").at("net_ns"), named("nice").at("net_ns"));
  EXPECT_NE(named("own-users").at("user_ns"), named("nice").at("user_ns"));
  EXPECT_NE(named("sleep").at("pid_ns"), named("nice").at("pid_ns"));
  // Of a thread that has ended, one that stays, and the first.
  EXPECT_GE(named("busy").at("cpu_ns"), 300'000'000);
  EXPECT_GT(named("busy").at("stime_ns"), 10'000'000);

  EXPECT_THAT(compare("threads"), testing::IsEmpty());
  EXPECT_LT(named("busy").at("cpu_ns"), 250'000'000);

  const json chosen = vitrine_json({"ps", guest().name(), "--columns", "comm", "--where",
                                    "policy = SCHED_RR and nice = 0", "--sort", "rt_priority"});
  ASSERT_EQ(chosen.at("rows").size(), 1U);
  EXPECT_EQ(chosen.at("rows")[0], json({{"comm", "rr"}}));
  const Finished table = vitrine({"ps", guest().name(), "--columns", "all"});
  EXPECT_EQ(table.status, 0) << table.errors;
  EXPECT_THAT(table.output, HasSubstr("/a slice/b.scope"));
}

INSTANTIATE_TEST_SUITE_P(Debian, DetailsTest, testing::Values("6.1", "6.12", "7"), linux_name);

}  // namespace
}  // namespace vitrine::live
