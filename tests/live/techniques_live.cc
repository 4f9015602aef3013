// Every technique gives the same rows and leaves the VM as it was, also where it fails.
#include <fmt/format.h>
#include <unistd.h>

#include <sstream>

#include "tests/live/guest_test.h"
#include "tests/live/qmp_client.h"
#include "tests/live/vm_state.h"

namespace vitrine::live {
namespace {

using nlohmann::json;

// Of RAM: much of what these tests do is to copy it.
constexpr std::size_t kMegabytes = 192;

class TechniqueTest : public GuestTest, public testing::WithParamInterface<std::string> {
 protected:
  static void SetUpTestSuite() {
    boot({.name = "techniques", .memory = std::to_string(kMegabytes) + "M"});
  }

  void SetUp() override {
    GuestTest::SetUp();
    before_ = vm_state(guest());
  }
  void TearDown() override {
    const json after = vm_state(guest());
    EXPECT_EQ(json::diff(before_, after), json::array()) << "the VM is not as it was";
    GuestTest::TearDown();
  }

  // `vitrine ps` with the technique, and an environment of its own ("NAME=VALUE").
  static Finished ps(const std::vector<std::string>& environment = {}) {
    std::vector<std::string> command{"env"};
    command.insert(command.end(), environment.begin(), environment.end());
    for (const std::string& argument :
         vitrine_command({"ps", guest().name(), "--technique", GetParam()}))
      command.push_back(argument);
    return run(command, std::chrono::seconds(60));
  }
  static void expect_failure(const Finished& finished, const std::string& words) {
    EXPECT_EQ(finished.status, 1) << finished.output;
    EXPECT_THAT(finished.errors, testing::HasSubstr(words));
  }
  bool asks_the_monitor() const {
    return GetParam() != "process-vm" && GetParam() != "proc-mem" && GetParam() != "fork";
  }
  bool stops_the_guest() const {
    return (asks_the_monitor() && GetParam() != "qmp") || GetParam() == "fork";
  }
  bool copies_to_a_file() const {
    return asks_the_monitor() && stops_the_guest() && GetParam() != "gdb";
  }

 private:
  json before_;
};

INSTANTIATE_TEST_SUITE_P(Any, TechniqueTest, testing::ValuesIn(techniques_on_any_vm()),
                         [](const auto& id) { return test_name(id.param); });

TEST_P(TechniqueTest, GivesTheRowsThatTheGuestAndProcessVmGive) {
  EXPECT_THAT(compare_ps(guest(), {"--technique", GetParam()}), testing::IsEmpty());
  // A kernel worker may come or go in between: three attempts.
  bool same = false;
  for (int i = 0; i < 3 && !same; ++i)
    same = stable_rows(guest().name(), {"--technique", GetParam()}) ==
           stable_rows(guest().name(), {"--technique", "process-vm"});
  EXPECT_TRUE(same);
}

TEST_P(TechniqueTest, SaysHowLongTheGuestWasStopped) {
  const json observation =
      vitrine_json({"ps", guest().name(), "--technique", GetParam()}).at("observation");
  if (stops_the_guest()) {
    EXPECT_EQ(observation.at("consistency").at("atomic"), "proved");
    EXPECT_GT(observation.at("stopped_ns"), 0);
    EXPECT_LT(observation.at("stopped_ns"), 20'000'000'000);
  } else {
    EXPECT_EQ(observation.at("consistency").at("atomic"), "unknown");
    EXPECT_EQ(observation.at("stopped_ns"), 0);
  }
}

TEST_P(TechniqueTest, LetsTheGuestGoOnBetweenObservations) {
  const TemporaryFolder files;
  Subprocess tool(
      vitrine_command({"ps", guest().name(), "--technique", GetParam(), "--watch", "0.5"}),
      files.path() / "out", files.path() / "err");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(guest().run("sleep 0.3; echo alive", std::chrono::seconds(30)), "alive\n");
    EXPECT_TRUE(tool.running()) << read_file(files.path() / "err");
  }
}

TEST_P(TechniqueTest, TakesANewCopyForEachObservation) {
  const Finished watched =
      run({"timeout", "-s", "INT", "90", "sh", "-c",
           shell_line(vitrine_command(
               {"ps", guest().name(), "--technique", GetParam(), "--watch", "0.2", "--json"})) +
               " | head -n 3"},
          std::chrono::seconds(120));
  std::istringstream lines(watched.output);
  int observations = 0;
  for (std::string line; std::getline(lines, line); ++observations)
    EXPECT_GT(json::parse(line).at("rows").size(), 40U);
  EXPECT_EQ(observations, 3) << watched.errors;
}

TEST_P(TechniqueTest, LeavesAPausedVmPaused) {
  QmpClient(guest().qmp()).execute("stop");
  const json paused = vm_state(guest());
  const Finished finished = ps();
  const json after = vm_state(guest());
  QmpClient(guest().qmp()).execute("cont");
  EXPECT_EQ(after, paused);
  if (GetParam() == "migrate-file" || GetParam() == "background-snapshot")
    expect_failure(finished, "not running (paused)");
  else
    EXPECT_EQ(finished.status, 0) << finished.errors;
}

TEST_P(TechniqueTest, SaysThatAnotherClientHoldsTheMonitor) {
  if (!asks_the_monitor()) return;
  const QmpClient other(guest().qmp());
  const Finished finished = ps();
  EXPECT_EQ(finished.status, 1) << finished.output;
  EXPECT_THAT(finished.errors,
              testing::AnyOf(testing::HasSubstr("another client"), testing::HasSubstr("is busy")));
}

TEST_P(TechniqueTest, SaysThatNoTemporaryFileCanBeMade) {
  if (!copies_to_a_file()) return;
  expect_failure(ps({"TMPDIR=/proc"}), "/proc");
}

// A disk that is full from the beginning, and one that somebody else fills meanwhile.
TEST_P(TechniqueTest, SaysThatTheDiskIsFull) {
  if (!copies_to_a_file()) return;
  if (geteuid() != 0) GTEST_SKIP() << "SKIPPED: a small disk can only be mounted by root";
  const TemporaryFolder disk;
  for (const std::size_t megabytes : {std::size_t{16}, kMegabytes + 18}) {
    const std::string folder = disk.path().string();
    const std::string line = fmt::format(
        "mount -t tmpfs -o size={0}m none {1}; cd {1}; (sleep 1; for i in $(seq 200); do dd "
        "if=/dev/zero of=fill bs=1M count=1000 oflag=append conv=notrunc; sleep 0.02; done) "
        "2>/dev/null & TMPDIR={1} exec {2}",
        megabytes, folder,
        shell_line(
            vitrine_command({"ps", guest().name(), "--technique", GetParam(), "--watch", "0.01"})));
    const Finished finished = run({"unshare", "-m", "sh", "-c", line}, std::chrono::seconds(60));
    EXPECT_EQ(finished.status, 1) << finished.output;
    EXPECT_THAT(finished.errors, testing::AnyOf(testing::HasSubstr("MiB free"),
                                                testing::HasSubstr("No space left")));
  }
}

// The VMM is killed while the technique is at work, at several instants.
class TechniqueOfADyingVm : public testing::TestWithParam<std::string> {};

TEST_P(TechniqueOfADyingVm, EndsWithAnErrorSoon) {
  const TemporaryFolder files;
  const std::string& id = GetParam();
  Guest guest({.name = "dying-" + test_name(id), .memory = "192M", .sleepers = 5});
  std::vector<std::string> command{"env", "TMPDIR=" + files.path().string()};
  for (const std::string& argument :
       vitrine_command({"ps", guest.name(), "--technique", id, "--watch", "0.01"}))
    command.push_back(argument);
  Subprocess tool(command, files.path() / "out", files.path() / "err");
  std::this_thread::sleep_for(std::chrono::milliseconds(2000 + 137 * id.size()));
  EXPECT_TRUE(tool.running()) << read_file(files.path() / "err");
  guest.vmm().kill();
  EXPECT_TRUE(tool.wait(std::chrono::seconds(20))) << "it does not end";
  EXPECT_EQ(tool.status(), 1);
  EXPECT_FALSE(read_file(files.path() / "err").empty());
  std::filesystem::remove(files.path() / "out");
  std::filesystem::remove(files.path() / "err");
  EXPECT_TRUE(std::filesystem::is_empty(files.path()));
}

INSTANTIATE_TEST_SUITE_P(Any, TechniqueOfADyingVm, testing::ValuesIn(techniques_on_any_vm()),
                         [](const auto& id) { return test_name(id.param); });

}  // namespace
}  // namespace vitrine::live
