// --pause=freeze: the VMM's threads stopped from outside, and the guest none the wiser.
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "tests/live/guest_ram.h"
#include "tests/live/guest_test.h"
#include "tests/live/qmp_client.h"
#include "tests/live/vm_state.h"
#include "vitrine/host/mappings.h"
#include "vitrine/host/process.h"

namespace vitrine::live {
namespace {

using nlohmann::json;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Freeze : public GuestTest {
 protected:
  static void SetUpTestSuite() { boot({.name = "freeze", .qmp = QmpSocket::chardev}); }

  void SetUp() override {
    GuestTest::SetUp();
    before_ = vm_state(guest());
  }
  void TearDown() override {
    const json after = vm_state(guest());
    EXPECT_EQ(json::diff(before_, after), json::array()) << "the VM is not as it was";
    GuestTest::TearDown();
  }

 private:
  json before_;
};

TEST_F(Freeze, GivesTheRowsThatTheGuestGivesAndProvesThem) {
  for (const std::string technique : {"process-vm", "proc-mem"}) {
    const std::vector<std::string> arguments{"--technique", technique, "--pause=freeze"};
    EXPECT_THAT(compare_ps(guest(), arguments), IsEmpty());
    const json observed =
        vitrine_json({"ps", guest().name(), "--technique", technique, "--pause=freeze"});
    const json& observation = observed.at("observation");
    EXPECT_EQ(observation.at("consistency").at("atomic"), "proved");
    EXPECT_GT(observation.at("stopped_ns"), 0);
    EXPECT_LE(observation.at("stopped_ns"), observation.at("duration_ns"));
    EXPECT_THAT(observed.at("warnings"), IsEmpty());
  }
}

TEST_F(Freeze, NeedsNoMonitor) {
  const QmpClient holder(guest().qmp());
  EXPECT_THAT(compare_ps(guest(), {"--pause=freeze"}), IsEmpty());
}

TEST_F(Freeze, AGuestThatComputesMeanwhileComputesRight) {
  const TemporaryFolder files;
  Subprocess tool(vitrine_command({"rate", guest().name(), "--pause=freeze", "--seconds", "60"}),
                  files.path() / "out", files.path() / "err");
  const std::string sums = guest().run(
      "for i in $(seq 40); do dd if=/dev/zero bs=64k count=32 2>/dev/null | sha256sum; done | uniq",
      std::chrono::seconds(120));
  EXPECT_EQ(sums, "5647f05ec18958947d32874eeb788fa396a05d0bab7c1b71f112ceb7e9b31eee  -\n");
  EXPECT_TRUE(tool.running()) << "it ended before: " << read_file(files.path() / "err");
}

TEST_F(Freeze, APausedVmStaysPaused) {
  QmpClient(guest().qmp()).execute("stop");
  const json paused = vm_state(guest());
  const Finished finished = vitrine({"ps", guest().name(), "--pause=freeze"});
  const json after = vm_state(guest());
  QmpClient(guest().qmp()).execute("cont");
  EXPECT_EQ(finished.status, 0) << finished.errors;
  EXPECT_EQ(after, paused);
}

TEST_F(Freeze, TechniquesThatNeedTheVmmAreRefused) {
  const Finished refused = vitrine({"ps", guest().name(), "--technique", "qmp", "--pause=freeze"});
  EXPECT_EQ(refused.status, 2) << refused.output;
  EXPECT_THAT(refused.errors, HasSubstr("frozen VMM"));
}

TEST_F(Freeze, AnImageIsOfOneInstant) {
  const TemporaryFolder folder;
  const std::string image = folder.path() / "image";
  const json taken = vitrine_json(
      {"snapshot", guest().name(), "-o", image, "--pause=freeze", "--skip", "zero,free,cache"});
  std::ifstream file(image + ".json");
  const json manifest = json::parse(file);
  EXPECT_EQ(manifest.at("consistency").at("atomic"), "proved") << manifest;
  EXPECT_THAT(manifest.at("warnings"), Contains(HasSubstr("no registers")));
}

TEST_F(Freeze, SaysThatADebuggerHoldsTheVmm) {
  const pid_t debugger = fork();
  if (debugger == 0) {
    ptrace(PTRACE_SEIZE, guest().pid(), 0L, 0L);
    pause();
    _exit(0);
  }
  const auto held = [debugger] {
    const auto status = host::read_file(host::ProcRoot().of(guest().pid(), "status"));
    return status &&
           host::status_number(*status, "TracerPid") == static_cast<std::uint64_t>(debugger);
  };
  for (int i = 0; i < 500 && !held(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  const Finished refused = vitrine({"ps", guest().name(), "--pause=freeze"});
  EXPECT_EQ(refused.status, 1) << refused.output;
  EXPECT_THAT(refused.errors, HasSubstr("traced by process " + std::to_string(debugger)));
  kill(debugger, SIGKILL);
  waitpid(debugger, nullptr, 0);
}

// What is proved while nobody is seen to share the RAM: nothing, where somebody cannot be looked
// at.
std::string verdict_without_writers() {
  for (const pid_t pid : host::processes()) {
    const auto mappings = host::mappings(pid);
    if (!mappings && mappings.error().code == base::Code::denied) return "unknown";
  }
  return "proved";
}

// Whoever else maps the RAM for writing could change it while the VMM stands still: this test does.
TEST(FreezeOfSharedRam, IsNoProofWhileAnotherProcessMayWrite) {
  if (!kernel_available("6.1")) GTEST_SKIP() << "SKIPPED: guest kernel 6.1";
  Guest guest({.name = "freeze-shared",
               .memory = "256M",
               .arguments = {"-object", "memory-backend-memfd,share=on,id=ram,size=256M",
                             "-machine", "memory-backend=ram"}});
  const std::vector<std::string> arguments{"ps", guest.name(), "--technique", "map",
                                           "--pause=freeze"};
  const std::string own_number = "(" + std::to_string(getpid()) + ")";
  const auto expect_no_writer = [&] {
    const json observed = vitrine_json(arguments);
    EXPECT_EQ(observed.at("observation").at("consistency").at("atomic"), verdict_without_writers());
    EXPECT_THAT(observed.at("warnings"), Not(Contains(HasSubstr(own_number))));
  };
  expect_no_writer();
  {
    const GuestRam writer(guest);
    const json observed = vitrine_json(arguments);
    EXPECT_EQ(observed.at("observation").at("consistency").at("atomic"), "unknown");
    EXPECT_THAT(observed.at("warnings"), Contains(HasSubstr(own_number)));
  }
  expect_no_writer();
}

}  // namespace
}  // namespace vitrine::live
