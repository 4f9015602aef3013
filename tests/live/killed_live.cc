// A tool that is killed leaves nothing behind: the VM runs on, its memory is what it was, no file
// stays, and what is kept on disk still serves.
#include <csignal>
#include <random>
#include <thread>

#include "tests/live/guest_test.h"
#include "tests/live/qmp_client.h"
#include "tests/live/vmm_memory.h"

namespace vitrine::live {
namespace {

class Killed : public GuestTest {
 protected:
  static void SetUpTestSuite() {
    boot({.name = "killed",
          .arguments = {"-object", "memory-backend-memfd,share=on,id=ram,size=512M", "-machine",
                        "memory-backend=ram"}});
  }
};

std::vector<std::string> files_in(const std::filesystem::path& folder) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (!entry.is_directory()) found.push_back(entry.path().filename());
  return found;
}

void watch_and_kill(const Guest& guest, const std::string& technique,
                    std::chrono::milliseconds after, const std::filesystem::path& cache,
                    const std::filesystem::path& temporary) {
  const TemporaryFolder out;
  std::vector<std::string> command{"env", "TMPDIR=" + temporary.string()};
  for (const std::string& argument :
       vitrine_command({"ps", guest.name(), "--watch", "0.01", "--technique", technique}, cache))
    command.push_back(argument);
  Subprocess watch(command, out.path() / "output", out.path() / "errors");
  std::this_thread::sleep_for(after);
  EXPECT_TRUE(watch.running()) << read_file(out.path() / "errors");
  watch.kill();
  EXPECT_EQ(watch.status(), 128 + SIGKILL);
}

TEST_F(Killed, AtAnyInstantNothingIsLeft) {
  std::mt19937 random(std::random_device{}());
  for (const std::string technique : {"map", "process-vm", "proc-mem"}) {
    SCOPED_TRACE(technique);
    const TemporaryFolder cache;
    const TemporaryFolder temporary;
    // What the first look makes the VMM's monitor allocate is there before.
    ASSERT_EQ(vitrine({"ps", guest().name(), "--technique", technique}).status, 0);
    const VmmMemory before = vmm_memory(guest().pid());
    for (int kill = 0; kill < 10; ++kill) {
      const std::chrono::milliseconds after(random() % 400);
      SCOPED_TRACE(testing::Message() << "after " << after.count() << " ms");
      watch_and_kill(guest(), technique, after, cache.path(), temporary.path());
    }
    EXPECT_THAT(files_in(temporary.path()), testing::IsEmpty());
    const Finished next = vitrine({"ps", guest().name(), "--technique", technique},
                                  std::chrono::seconds(30), cache.path());
    EXPECT_EQ(next.status, 0) << next.errors;
    EXPECT_EQ(next.errors, "");
    // One of the VM and one of its kernel; nothing half-written.
    EXPECT_LE(files_in(cache.path()).size(), 2U);
    EXPECT_EQ(QmpClient(guest().qmp()).execute("query-status").at("status"), "running");
    const VmmMemory after = vmm_memory(guest().pid());
    SCOPED_TRACE(testing::Message() << "before " << before << "; after " << after);
    EXPECT_LE(after.rss_bytes, before.rss_bytes + kGuestNoise + kVmmNoise);
    EXPECT_LE(after.backend_bytes, before.backend_bytes + kGuestNoise);
    EXPECT_LE(after.anonymous_bytes, before.anonymous_bytes + kVmmNoise);
  }
  EXPECT_THAT(compare_ps(guest()), testing::IsEmpty());
}

}  // namespace
}  // namespace vitrine::live
