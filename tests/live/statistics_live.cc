// The views of statistics (free, vmstat, mpstat, uptime) against the guest's own /proc.
#include <map>
#include <set>
#include <sstream>

#include "tests/live/view_test.h"

namespace vitrine::live {
namespace {

using nlohmann::json;

using Numbers = std::map<std::string, std::int64_t>;

// "NAME VALUE" a line, perhaps with a colon behind the name.
Numbers numbers_of(const std::string& text) {
  Numbers numbers;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name;
    std::int64_t value = 0;
    if (!(words >> name >> value)) continue;
    if (name.ends_with(':')) name.pop_back();
    numbers[name] = value;
  }
  return numbers;
}

// Whether a value lies within what the guest said before and after, and so much beside it.
testing::AssertionResult between(std::int64_t value, std::int64_t before, std::int64_t after,
                                 std::int64_t slack = 0) {
  if (value >= std::min(before, after) - slack && value <= std::max(before, after) + slack)
    return testing::AssertionSuccess();
  return testing::AssertionFailure()
         << value << "; the guest said " << before << ", then " << after;
}

class StatisticsTest : public ViewTest {
 protected:
  void SetUp() override {
    ViewTest::SetUp();
    if (IsSkipped()) return;
    // Memory of several kinds, system calls and interrupts.
    guest().run("dd if=/dev/zero of=/tmp/file bs=1M count=9 2>/dev/null; guest_tool unusual busy");
  }

  void compare_memory();
  void compare_counters();
  void compare_processor_time();
  void compare_uptime();
  void compare_processors();
};

void StatisticsTest::compare_memory() {
  const Numbers before = numbers_of(guest().run("cat /proc/meminfo"));
  const json all = rows("free");
  const Numbers after = numbers_of(guest().run("cat /proc/meminfo"));
  constexpr std::int64_t kSlack = 1024;  // KiB: what the listing itself takes and gives back
  std::size_t same = 0;
  std::set<std::string> seen;
  for (const json& row : all) {
    const std::string name = row.at("name");
    const auto kibi = static_cast<std::int64_t>(row.at("bytes").get<std::uint64_t>() / 1024);
    seen.insert(name);
    ASSERT_TRUE(before.contains(name)) << name;
    // While nothing is listed, the program that lists is mapped nowhere.
    const std::int64_t slack = name == "Mapped" ? 4 * kSlack : kSlack;
    EXPECT_TRUE(between(kibi, before.at(name), after.at(name), slack)) << name;
    if (kibi == before.at(name) || kibi == after.at(name)) ++same;
  }
  EXPECT_GT(same * 3, all.size() * 2) << all;
  for (const char* name : {"MemTotal", "MemAvailable", "Buffers", "Cached", "SwapTotal", "Shmem",
                           "Slab", "KernelStack", "PageTables", "Committed_AS", "VmallocUsed"})
    EXPECT_TRUE(seen.contains(name)) << name;
}

void StatisticsTest::compare_counters() {
  const Numbers before = numbers_of(guest().run("cat /proc/vmstat /proc/stat"));
  const json all = rows("vmstat");
  const Numbers after = numbers_of(guest().run("cat /proc/vmstat /proc/stat"));
  const std::map<std::string, std::string> of_stat{{"context_switches", "ctxt"},
                                                   {"forks", "processes"},
                                                   {"running", "procs_running"},
                                                   {"blocked", "procs_blocked"}};
  EXPECT_GT(all.size(), 150U);
  for (const json& row : all) {
    std::string name = row.at("name");
    if (const auto renamed = of_stat.find(name); renamed != of_stat.end()) name = renamed->second;
    ASSERT_TRUE(before.contains(name)) << name;
    // What only grows lies in between; what goes up and down may have been beside it.
    const bool state = name.starts_with("nr_") || name.starts_with("procs_");
    EXPECT_TRUE(between(row.at("value"), before.at(name), after.at(name), state ? 1024 : 0))
        << name;
  }
  // All but what the view says that it leaves out.
  EXPECT_GE(all.size() + 8, before.size() - numbers_of(guest().run("cat /proc/stat")).size());
}

// The numbers of a line of /proc/stat that begins so, in 1/100 s.
std::vector<std::int64_t> ticks_of(const std::string& stat, const std::string& name) {
  std::istringstream lines(stat);
  std::vector<std::int64_t> ticks;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string word;
    if (words >> word && word == name)
      for (std::int64_t value = 0; words >> value;) ticks.push_back(value);
  }
  return ticks;
}

void StatisticsTest::compare_processor_time() {
  const std::string before = guest().run("cat /proc/stat");
  const json all = rows("mpstat");
  const std::string after = guest().run("cat /proc/stat");
  ASSERT_EQ(all.size(), 3U);
  constexpr std::array kColumns{"user_ns", "nice_ns",    "system_ns", "idle_ns",  "iowait_ns",
                                "irq_ns",  "softirq_ns", "steal_ns",  "guest_ns", "guest_nice_ns"};
  for (const json& row : all) {
    const std::string name =
        row.at("cpu").is_null() ? "cpu" : "cpu" + std::to_string(row.at("cpu").get<int>());
    const auto first = ticks_of(before, name);
    const auto last = ticks_of(after, name);
    ASSERT_EQ(first.size(), kColumns.size());
    for (std::size_t i = 0; i < kColumns.size(); ++i) {
      const auto ticks =
          static_cast<std::int64_t>(row.at(kColumns.at(i)).get<std::uint64_t>() / 10'000'000);
      // A guest that idles has had its last clock tick some time ago.
      const bool idle = i == 3 || i == 4;
      EXPECT_TRUE(between(ticks, first.at(i), last.at(i), idle ? 500 : 0))
          << name << " " << kColumns.at(i);
    }
  }
}

void StatisticsTest::compare_uptime() {
  const std::string before = guest().run("cat /proc/uptime /proc/loadavg");
  const json row = rows("uptime").at(0);
  const std::string after = guest().run("cat /proc/uptime /proc/loadavg");
  const auto words = [](const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> all;
    for (std::string word; stream >> word;) all.push_back(word);
    return all;
  };
  const auto first = words(before);
  const auto last = words(after);
  const auto hundredths = [](const std::string& text) {
    return static_cast<std::int64_t>(std::stod(text) * 100);
  };
  EXPECT_TRUE(between(row.at("uptime_ns").get<std::int64_t>() / 10'000'000, hundredths(first[0]),
                      hundredths(last[0]), 500));
  EXPECT_TRUE(between(row.at("idle_ns").get<std::int64_t>() / 10'000'000, hundredths(first[1]),
                      hundredths(last[1]), 1000));
  std::size_t column = 2;
  for (const char* name : {"load1", "load5", "load15"}) {
    EXPECT_TRUE(row.at(name) == first[column] || row.at(name) == last[column])
        << name << " " << row.at(name) << ": " << first[column] << " " << last[column];
    ++column;
  }
  const std::int64_t threads = std::stoll(first[5].substr(first[5].find('/') + 1));
  EXPECT_TRUE(between(row.at("threads"), threads, threads, 3));
}

// The fields of each processor of /proc/cpuinfo.
std::vector<std::map<std::string, std::string>> processors_of(const std::string& text) {
  std::vector<std::map<std::string, std::string>> all(1);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto colon = line.find(':');
    if (line.empty()) all.emplace_back();
    if (colon == std::string::npos) continue;
    const std::string name = line.substr(0, line.find_last_not_of("\t ", colon - 1) + 1);
    all.back()[name] = colon + 2 < line.size() ? line.substr(colon + 2) : std::string();
  }
  std::erase_if(all, [](const auto& fields) { return fields.empty(); });
  return all;
}

void StatisticsTest::compare_processors() {
  const auto own = processors_of(guest().run("cat /proc/cpuinfo"));
  const json all = rows("lscpu");
  ASSERT_EQ(own.size(), 2U);
  ASSERT_EQ(all.size(), 2U);
  for (std::size_t i = 0; i < own.size(); ++i) {
    const json& row = all[i];
    EXPECT_EQ(row.at("online"), true);
    for (const auto& [column, field] : {std::pair{"vendor", "vendor_id"},
                                        {"model_name", "model name"},
                                        {"flags", "flags"},
                                        {"bugs", "bugs"},
                                        {"microcode", "microcode"}})
      EXPECT_EQ(row.at(column), own[i].at(field)) << column;
    for (const auto& [column, field] : {std::pair{"cpu", "processor"},
                                        {"family", "cpu family"},
                                        {"model", "model"},
                                        {"stepping", "stepping"},
                                        {"package", "physical id"},
                                        {"core", "core id"},
                                        {"apic_id", "apicid"}})
      EXPECT_EQ(std::to_string(row.at(column).get<int>()), own[i].at(field)) << column;
    EXPECT_EQ(std::to_string(row.at("cache_bytes").get<std::uint64_t>() / 1024) + " KB",
              own[i].at("cache size"));
  }
  guest().run("echo 0 >/sys/devices/system/cpu/cpu1/online");
  EXPECT_EQ(rows("lscpu")[1].at("online"), false);
  EXPECT_TRUE(rows("lscpu")[1].at("vendor").is_null());
  EXPECT_EQ(rows("mpstat").size(), 2U) << "the sum, and one CPU";
  guest().run("echo 1 >/sys/devices/system/cpu/cpu1/online");
}

TEST_P(StatisticsTest, AreThoseOfTheGuestsOwnProc) {
  compare_memory();
  compare_counters();
  compare_processor_time();
  compare_uptime();
  compare_processors();
}

INSTANTIATE_TEST_SUITE_P(Debian, StatisticsTest, testing::Values("6.1", "6.12", "7"), linux_name);

}  // namespace
}  // namespace vitrine::live
