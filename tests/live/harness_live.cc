// The fixture itself: what other live tests rely on, so that a failure there is not its fault.
#include <array>
#include <cstdio>

#include "tests/live/guest_test.h"
#include "tests/live/qmp_client.h"
#include "tests/live/vmm_memory.h"

namespace vitrine::live {
namespace {

std::string escaped(const std::string& bytes) {
  std::string text;
  for (const char byte : bytes) {
    std::array<char, 5> hex{};
    std::snprintf(hex.data(), hex.size(), "\\x%02x", static_cast<unsigned char>(byte));
    text += hex.data();
  }
  return text;
}

class Harness : public GuestTest {
 protected:
  static void SetUpTestSuite() { boot({.name = "harness", .sleepers = 60}); }
};

TEST_F(Harness, ReturnsWhatACommandPrints) {
  EXPECT_EQ(guest().run("printf 'a\\000\\377\\n'; echo to stderr >&2"),
            std::string("a\0\xff\nto stderr\n", 14));
  EXPECT_EQ(guest().run("true"), "");
}

TEST_F(Harness, ReportsAFailedCommand) { EXPECT_ANY_THROW(guest().run("exit 3")); }

TEST_F(Harness, ACommandThatNeverEndsMeetsItsDeadline) {
  Guest other({.name = "stuck", .sleepers = 0});
  EXPECT_ANY_THROW(other.run("sleep 1000", std::chrono::milliseconds(500)));
}

TEST_F(Harness, TheGuestHoldsTheProcessesThatTestsLookFor) {
  const TaskList tasks = guest_tasks(guest(), Tasks::threads);
  int sleepers = 0;
  int workers = 0;
  std::vector<std::string> names;
  for (const auto& [id, task] : tasks) {
    const std::string name = task.at("comm");
    sleepers += name.starts_with("sleeper-") ? 1 : 0;
    workers += name.starts_with("worker-") ? 1 : 0;
    if (name == "zombie") {
      EXPECT_EQ(task.at("state"), "Z");
    }
    names.push_back(name);
  }
  EXPECT_EQ(sleepers, 60);
  EXPECT_EQ(workers, 5);
  EXPECT_THAT(names,
              testing::IsSupersetOf({std::string("zombie"), std::string("ctl\x1b\n\tx"),
                                     std::string("bad\xff\xfe\xc3(x"), std::string(") R 1 ("),
                                     std::string("user"), std::string("kthreadd")}));
}

TEST_F(Harness, SpeaksQmp) {
  EXPECT_EQ(QmpClient(guest().qmp()).execute("query-name").at("name"), "harness");
}

TEST_F(Harness, MeasuresTheMemoryOfTheVmm) {
  EXPECT_GT(vmm_memory(guest().pid()).rss_bytes, 50U << 20);
}

TEST_F(Harness, FindsEveryKindOfDifference) {
  const TaskList tasks = guest_tasks(guest(), Tasks::processes);
  nlohmann::json rows = nlohmann::json::array();
  for (auto [id, task] : tasks) {
    task["start_ns"] = task["start_ticks"].get<long long>() * 10'000'000 + 7;
    for (const char* text : {"comm", "cmdline"}) {
      task[text] = escaped(task[text]);
    }
    rows.push_back(task);
  }
  EXPECT_THAT(differences(rows, tasks, tasks), testing::IsEmpty());
  for (const char* field : {"ppid", "uid", "gid", "threads", "start_ns", "rss_bytes", "comm"}) {
    auto wrong = rows;
    wrong[0][field] =
        field == std::string("comm") ? nlohmann::json("wrong") : nlohmann::json(-20'000'000);
    EXPECT_THAT(differences(wrong, tasks, tasks), testing::SizeIs(1)) << field;
  }
  auto wrong = rows;
  wrong.erase(3);
  EXPECT_THAT(differences(wrong, tasks, tasks), testing::SizeIs(1));
  wrong = rows;
  wrong.push_back({{"pid", 99999}});
  EXPECT_THAT(differences(wrong, tasks, tasks), testing::SizeIs(1));
}

}  // namespace
}  // namespace vitrine::live
