// The techniques that ask the VM's manager while it runs: the same rows as the guest's own, and a
// VM that is as it was, also when the tool is killed.
#include <random>

#include "tests/live/guest_test.h"
#include "tests/live/stub_state.h"
#include "vitrine/vmm/gdb_remote.h"
#include "vitrine/vmm/qmp_socket.h"

namespace vitrine::live {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

std::vector<std::string> ps_command(const std::string& vm, const std::string& technique) {
  const char* program = std::getenv("VITRINE_PROGRAM");  // NOLINT(concurrency-mt-unsafe)
  return {program == nullptr ? VITRINE_PROGRAM : program, "ps", vm, "--technique", technique};
}

class ManagerTest : public GuestTest, public testing::WithParamInterface<std::string> {
 protected:
  static void SetUpTestSuite() { boot({.name = "asked", .sleepers = 20}); }

  static std::vector<std::string> technique() { return {"--technique", GetParam()}; }
  static Finished ps() { return vitrine({"ps", guest().name(), "--technique", GetParam()}); }
};
INSTANTIATE_TEST_SUITE_P(Monitor, ManagerTest, testing::Values("qmp", "gdb"),
                         [](const auto& id) { return id.param; });

TEST_P(ManagerTest, GivesTheRowsOfTheGuest) {
  EXPECT_THAT(compare_ps(guest(), technique()), testing::IsEmpty());
}

TEST_P(ManagerTest, LeavesTheVmAsItWas) {
  for (const bool runs : {true, false}) {
    SCOPED_TRACE(runs ? "a VM that runs" : "a VM that was paused");
    nlohmann::json before;
    {
      QmpClient qmp(guest().qmp());
      if (!runs) qmp.execute("stop");
      before = manager_state(qmp);
    }
    const Finished finished = ps();
    EXPECT_EQ(finished.status, 0) << finished.errors;
    QmpClient qmp(guest().qmp());
    EXPECT_EQ(nlohmann::json::diff(before, manager_state(qmp)), nlohmann::json::array());
    EXPECT_FALSE(physical_mode(qmp, guest()));
    if (!runs) qmp.execute("cont");
  }
  EXPECT_EQ(guest().run("echo alive"), "alive\n");
}

TEST_P(ManagerTest, StopsTheGuestOnlyWhereItSaysSo) {
  const auto observation =
      vitrine_json({"ps", guest().name(), "--technique", GetParam()}).at("observation");
  if (GetParam() == "gdb")
    EXPECT_GT(observation.at("stopped_ns"), 0);
  else
    EXPECT_EQ(observation.at("stopped_ns"), 0);
}

TEST_P(ManagerTest, LetsTheGuestGoOnBetweenObservations) {
  const TemporaryFolder files;
  std::vector<std::string> command = ps_command(guest().name(), GetParam());
  command.insert(command.end(), {"--watch", "0.5"});
  Subprocess tool(command, files.path() / "out", files.path() / "err");
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(guest().run("sleep 0.3; echo alive", std::chrono::seconds(30)), "alive\n");
    EXPECT_TRUE(tool.running()) << read_file(files.path() / "err");
  }
}

TEST_P(ManagerTest, SaysThatAnotherClientHoldsTheMonitor) {
  const QmpClient other(guest().qmp());
  const Finished finished = ps();
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.errors, HasSubstr("another client"));
}

TEST_P(ManagerTest, LosesNothingWhenItIsKilled) {
  const TemporaryFolder files;
  const std::vector<std::string> command = ps_command(guest().name(), GetParam());
  const auto start = std::chrono::steady_clock::now();
  ASSERT_EQ(run(command, std::chrono::seconds(60)).status, 0);
  const auto usual =
      std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - start);
  nlohmann::json before;
  {
    QmpClient qmp(guest().qmp());
    before = manager_state(qmp);
  }
  const unsigned seed = std::random_device{}();
  std::mt19937 random(seed);
  std::uniform_int_distribution<long> instants(0, usual.count());
  int killed = 0;
  for (int i = 0; i < 25 && !HasFailure(); ++i) {
    const milliseconds instant(instants(random));
    SCOPED_TRACE(testing::Message() << "seed " << seed << ", round " << i << ", killed after "
                                    << instant.count() << " of " << usual.count() << " ms");
    {
      Subprocess tool(command, files.path() / "out", files.path() / "err");
      killed += tool.wait(instant) ? 0 : 1;
      tool.kill();
    }
    // Waits for the guardian, which holds the monitor until all is undone.
    QmpClient qmp(guest().qmp());
    EXPECT_EQ(nlohmann::json::diff(before, manager_state(qmp)), nlohmann::json::array());
    EXPECT_FALSE(physical_mode(qmp, guest()));
    EXPECT_EQ(guest().run("echo alive", std::chrono::seconds(30)), "alive\n");
  }
  EXPECT_GT(killed, 2) << "most runs ended before they were killed";
}

// A VM that was started with a debugger stub.
class StubTest : public GuestTest {
 protected:
  static void SetUpTestSuite() {
    boot({.name = "debugged",
          .sleepers = 5,
          .arguments = {"-gdb", "unix:FOLDER/gdb,server=on,wait=off"}});
  }
  static std::filesystem::path stub() { return guest().folder() / "gdb"; }
  static Finished ps() { return vitrine({"ps", guest().name(), "--technique", "gdb"}); }
};

TEST_F(StubTest, IsUsedAndLeftInItsMode) {
  for (const bool physical : {false, true}) {
    nlohmann::json before;
    {
      QmpClient qmp(guest().qmp());
      set_physical_mode(qmp, stub(), physical);
      before = manager_state(qmp);
    }
    EXPECT_THAT(compare_ps(guest(), {"--technique", "gdb"}), testing::IsEmpty());
    QmpClient qmp(guest().qmp());
    EXPECT_EQ(nlohmann::json::diff(before, manager_state(qmp)), nlohmann::json::array());
    EXPECT_EQ(physical_mode(qmp, stub()), physical);
    set_physical_mode(qmp, stub(), false);
  }
}

TEST_F(StubTest, IsLeftToTheDebuggerThatHoldsIt) {
  auto debugger = vmm::connect(stub().string(), std::chrono::seconds(5));
  ASSERT_TRUE(debugger);
  auto remote = vmm::GdbRemote::adopt(std::move(*debugger));
  ASSERT_TRUE(remote);
  const Finished finished = ps();
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.errors, HasSubstr("another debugger"));
  QmpClient qmp(guest().qmp());
  EXPECT_EQ(qmp.execute("query-status").at("status"), "paused");
  qmp.execute("cont");
}

}  // namespace
}  // namespace vitrine::live
