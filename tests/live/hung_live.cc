// The view `waits` (why) and its neighbours on guests that hang on purpose: in which processes of
// the guest wait for each other (tests/live/image/hang.c), threads of a module (tests/live/module)
// lock each other out, memory has run out, the only shell is stuck, or the kernel has panicked.
#include <fstream>
#include <map>
#include <optional>
#include <sstream>

#include "tests/live/guest_test.h"

namespace vitrine::live {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

// The module of tests/live/module, for kernel 6.1.
std::filesystem::path trouble() { return guest_assets() / "trouble-6.1.cpio.gz"; }
bool trouble_available() { return kernel_available("6.1") && std::filesystem::exists(trouble()); }

// A guest that finds the module as /trouble.ko. The last -initrd counts.
class TroubledGuest {
 public:
  explicit TroubledGuest(const std::string& name) {
    const auto initrd = folder_.path() / "initrd";
    std::ofstream(initrd, std::ios::binary)
        << read_file(guest_assets() / "initramfs.cpio.gz") << read_file(trouble());
    guest_.emplace(GuestOptions{.name = name, .arguments = {"-initrd", initrd.string()}});
  }
  Guest& operator*() { return *guest_; }

 private:
  TemporaryFolder folder_;
  std::optional<Guest> guest_;
};

std::map<std::string, json> rows_by_comm(const std::vector<std::string>& arguments) {
  std::map<std::string, json> rows;
  const Finished shown = vitrine([&arguments] {
    std::vector<std::string> all = arguments;
    all.emplace_back("--json");
    return all;
  }());
  const json parsed = json::parse(shown.output);
  for (const json& row : parsed.at("rows")) rows.emplace(row.at("comm").get<std::string>(), row);
  return rows;
}

std::map<std::string, json> why(const Guest& guest) { return rows_by_comm({"why", guest.name()}); }

// The ids of the processes that guest_tool has made wait, by name.
std::map<std::string, int> hang(Guest& guest, const std::string& in) {
  std::istringstream lines(guest.run("guest_tool hang " + in));
  std::map<std::string, int> pids;
  std::string name;
  for (int pid = 0; lines >> name >> pid;) pids[name] = pid;
  return pids;
}

// Whatever a panic leaves: who ran into it, what the kernel said, and who waited.
void look_at_panic(Guest& guest, int owner) {
  EXPECT_THROW(guest.run("echo c >/proc/sysrq-trigger", std::chrono::seconds(5)),
               std::runtime_error);
  EXPECT_THAT(vitrine({"dmesg", guest.name()}).output,
              HasSubstr("Kernel panic - not syncing: sysrq triggered crash"));
  const auto processes = rows_by_comm({"ps", guest.name()});
  EXPECT_EQ(processes.at("sh").at("state"), "R");
  const std::string panicking = std::to_string(processes.at("sh").at("pid").get<int>());
  EXPECT_THAT(vitrine({"stack", guest.name(), panicking, "--pause=vmm"}).output,
              HasSubstr("sysrq_handle_crash+0x"));
  EXPECT_EQ(why(guest).at("mutex-waiter-1").at("owner"), owner);
}

class HungTest : public testing::TestWithParam<const char*> {};

// Without a module: on every kernel.
TEST_P(HungTest, WhoWaitsForALockIsShownWithItsOwner) {
  if (!kernel_available(GetParam())) GTEST_SKIP() << "SKIPPED: guest kernel " << GetParam();
  Guest guest({.kernel = GetParam(), .name = std::string("hung-") + GetParam()});
  auto pids = hang(guest, "mutex");
  for (const char* in : {"rwsem", "readers"}) pids.merge(hang(guest, in));
  auto rows = why(guest);
  for (const char* waiter : {"mutex-waiter-1", "mutex-waiter-2"}) {
    const json& row = rows.at(waiter);
    EXPECT_EQ(row.at("state"), "D");
    EXPECT_EQ(row.at("waits_for"), "mutex");
    EXPECT_EQ(row.at("owner"), pids.at("mutex-owner"));
    EXPECT_EQ(row.at("owner_known_by"), "lock");
    EXPECT_EQ(row.at("root"), pids.at("mutex-owner"));
    EXPECT_EQ(row.at("lock"), rows.at("mutex-waiter-1").at("lock"));
    EXPECT_THAT(row.at("function").get<std::string>(), HasSubstr("pipe_read+0x"));
    EXPECT_FALSE(row.at("deadlock"));
  }
  EXPECT_EQ(rows.at("mutex-owner").at("waits_for"), "user fault");
  EXPECT_EQ(rows.at("mutex-owner").at("waiters"), 4);
  EXPECT_EQ(rows.at("mutex-parent").at("waits_for"), "child");
  EXPECT_EQ(rows.at("mutex-parent").at("owner"), rows.at("reader-child").at("pid"));
  EXPECT_EQ(rows.at("mutex-parent").at("root"), pids.at("mutex-owner"));
  EXPECT_EQ(rows.at("mutex-parent").at("depth"), 2);

  EXPECT_EQ(rows.at("rwsem-writer").at("waits_for"), "rwsem write");
  EXPECT_EQ(rows.at("rwsem-writer").at("owner"), pids.at("rwsem-owner"));
  EXPECT_EQ(rows.at("rwsem-writer").at("owner_known_by"), "lock");
  EXPECT_EQ(rows.at("readers-writer").at("waits_for"), "rwsem write");
  EXPECT_EQ(rows.at("readers-writer").at("owner"), pids.at("readers-owner"));
  EXPECT_EQ(rows.at("readers-writer").at("owner_known_by"), "last reader");
  EXPECT_EQ(rows.at("readers-reader").at("waits_for"), "rwsem read");
  EXPECT_EQ(rows.at("readers-reader").at("lock"), rows.at("readers-writer").at("lock"));

  // How long that is, within what the commands since took.
  const double now = std::stod(guest.run("cut -d' ' -f1 /proc/uptime"));
  rows = why(guest);
  const json& waiter = rows.at("mutex-waiter-1");
  const double until =
      (waiter.at("since_ns").get<double>() + waiter.at("waited_ns").get<double>()) / 1e9;
  EXPECT_NEAR(until, now, 5);
  EXPECT_GT(waiter.at("waited_ns"), 100'000'000U);
  EXPECT_LT(waiter.at("since_ns").get<double>() / 1e9, now);

  // Where a signal could end it: locks of processes, and a pipe whose writer is stopped.
  pids.merge(hang(guest, "futex"));
  pids.merge(hang(guest, "pipe"));
  pids.merge(hang(guest, "file_lock"));
  rows = why(guest);
  EXPECT_EQ(rows.at("futex-waiter").at("waits_for"), "futex");
  EXPECT_EQ(rows.at("futex-waiter").at("owner"), pids.at("futex-owner"));
  EXPECT_EQ(rows.at("futex-waiter").at("owner_known_by"), "user memory");
  EXPECT_EQ(rows.at("pi-waiter").at("waits_for"), "futex pi");
  EXPECT_EQ(rows.at("pi-waiter").at("owner"), pids.at("pi-owner"));
  EXPECT_EQ(rows.at("pi-waiter").at("owner_known_by"), "lock");
  EXPECT_EQ(rows.at("pipe-reader").at("waits_for"), "pipe read");
  EXPECT_EQ(rows.at("pipe-reader").at("owner"), pids.at("pipe-writer"));
  EXPECT_EQ(rows.at("pipe-writer").at("waits_for"), "stopped");
  EXPECT_EQ(rows.at("flock-waiter").at("waits_for"), "file lock");
  EXPECT_EQ(rows.at("flock-waiter").at("owner"), pids.at("flock-owner"));

  const Finished table = vitrine({"why", guest.name()});
  EXPECT_EQ(table.status, 0) << table.errors;
  EXPECT_THAT(table.output, HasSubstr("root blocker: " + std::to_string(pids.at("mutex-owner")) +
                                      " (mutex-owner)"));
  const json one =
      vitrine_json({"why", guest.name(), std::to_string(pids.at("mutex-parent"))}).at("rows");
  EXPECT_EQ(one.size(), 3U);
  look_at_panic(guest, pids.at("mutex-owner"));
}

INSTANTIATE_TEST_SUITE_P(Debian, HungTest, testing::Values("6.1", "6.12", "7"), linux_name);

// Threads of the kernel that a module has lock each other out.
TEST(Trouble, ALockCycleIsADeadlockAndOtherLocksHaveTheirOwners) {
  if (!trouble_available()) GTEST_SKIP() << "SKIPPED: guest kernel 6.1 with the module trouble";
  TroubledGuest troubled("trouble");
  Guest& guest = *troubled;
  guest.run("insmod /trouble.ko; sleep 1.5");
  const auto rows = why(guest);
  const json& one = rows.at("dead-one");
  const json& two = rows.at("dead-two");
  const std::string members =
      std::to_string(one.at("pid").get<int>()) + "," + std::to_string(two.at("pid").get<int>());
  for (const char* name : {"dead-one", "dead-two", "dead-behind"}) {
    const json& row = rows.at(name);
    EXPECT_EQ(row.at("state"), "D");
    EXPECT_EQ(row.at("waits_for"), "mutex");
    EXPECT_TRUE(row.at("deadlock"));
    EXPECT_EQ(row.at("deadlock_members"), members);
    EXPECT_TRUE(row.at("root").is_null());
  }
  EXPECT_EQ(one.at("lock_name"), "second_lock [trouble]");
  EXPECT_EQ(one.at("owner"), two.at("pid"));
  EXPECT_EQ(two.at("lock_name"), "first_lock [trouble]");
  EXPECT_EQ(two.at("owner"), one.at("pid"));
  EXPECT_EQ(two.at("depth"), 0);
  EXPECT_EQ(rows.at("dead-behind").at("depth"), 1);
  EXPECT_THAT(one.at("function").get<std::string>(), StartsWith("dead_one+0x"));

  EXPECT_EQ(rows.at("held-writer").at("waits_for"), "rwsem write");
  EXPECT_EQ(rows.at("held-reader").at("waits_for"), "rwsem read");
  for (const char* name : {"held-writer", "held-reader"}) {
    EXPECT_EQ(rows.at(name).at("lock_name"), "held_rwsem [trouble]");
    EXPECT_EQ(rows.at(name).at("owner_comm"), "held-owner");
  }
  EXPECT_EQ(rows.at("held-owner").at("waits_for"), "timer");
  EXPECT_EQ(rows.at("held-owner").at("waiters"), 2);
  EXPECT_EQ(rows.at("held-sema").at("waits_for"), "semaphore");
  EXPECT_EQ(rows.at("held-sema").at("lock_name"), "held_semaphore [trouble]");
  EXPECT_TRUE(rows.at("held-sema").at("owner").is_null());
  EXPECT_EQ(rows.at("never").at("waits_for"), "completion");
  EXPECT_EQ(rows.at("never").at("lock_name"), "never_done [trouble]");

  const Finished table = vitrine({"why", guest.name()});
  EXPECT_THAT(table.output, StartsWith("deadlock: "));
  EXPECT_THAT(table.output, HasSubstr("waits for mutex second_lock [trouble] of"));
}

// A guest whose memory runs out, and then its only shell.
class LastShell : public GuestTest {
 protected:
  static void SetUpTestSuite() { boot({.name = "last-shell", .memory = "256M"}); }
};

// The kernel killed what took all memory, which the log tells; whoever waited still does.
TEST_F(LastShell, ItsVictimIsInTheLogOfAGuestOutOfMemory) {
  auto pids = hang(guest(), "mutex");
  pids.merge(hang(guest(), "rwsem"));
  guest().run(
      "echo 1 >/proc/sys/vm/overcommit_memory; guest_tool check_memory 400 60 >/dev/null "
      "2>&1 & sleep 1");
  bool killed = false;
  for (int i = 0; i < 60 && !killed; ++i) {
    const std::string log = vitrine({"dmesg", guest().name()}).output;
    killed = log.find("Out of memory: Killed process") != std::string::npos &&
             log.find("(guest_tool)") != std::string::npos;
    EXPECT_EQ(why(guest()).at("mutex-waiter-1").at("owner"), pids.at("mutex-owner"));
  }
  EXPECT_TRUE(killed);
}

// Nobody can log in: what would serve the shell waits in the kernel itself.
TEST_F(LastShell, IsFoundWithWhatItWaitsFor) {
  for (const char* command : {"echo x >>/tmp/hang-file", "true"})
    EXPECT_THROW(guest().run(command, std::chrono::seconds(3)), std::runtime_error) << command;
  const auto rows = why(guest());
  const json& shell = rows.at("sh");
  EXPECT_EQ(shell.at("state"), "D");
  EXPECT_EQ(shell.at("waits_for"), "rwsem write");
  EXPECT_EQ(shell.at("owner_comm"), "rwsem-owner");
  // Which the first process, that serves the console, waits for.
  EXPECT_EQ(vitrine_json({"why", guest().name(), "1"}).at("rows")[0].at("waits_for"), "child");
  EXPECT_EQ(rows_by_comm({"ps", guest().name()}).at("sh").at("state"), "D");
  EXPECT_THAT(vitrine({"stack", guest().name(), std::to_string(shell.at("pid").get<int>())}).output,
              HasSubstr("rwsem_down_write_slowpath"));
}

}  // namespace
}  // namespace vitrine::live
