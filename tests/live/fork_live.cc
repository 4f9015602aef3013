// The technique `fork`: a copy of the VMM that is there only as long as it is looked at.
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <thread>

#include "tests/live/guest_test.h"
#include "tests/live/vm_state.h"

namespace vitrine::live {
namespace {

using nlohmann::json;

class Fork : public GuestTest {
 protected:
  static void SetUpTestSuite() { boot({.name = "fork"}); }
};

// The guest would pay for it with a copied page for every page it writes.
TEST_F(Fork, KeepsNoCopyBetweenObservations) {
  const json before = vm_state(guest());
  const TemporaryFolder files;
  Subprocess tool(
      vitrine_command({"ps", guest().name(), "--technique", "fork", "--watch", "60", "--json"}),
      files.path() / "out", files.path() / "err");
  const auto shown = [&files] { return read_file(files.path() / "out").find('\n'); };
  for (int i = 0; i < 500 && shown() == std::string::npos; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  ASSERT_NE(shown(), std::string::npos) << read_file(files.path() / "err");
  EXPECT_EQ(json::diff(before, vm_state(guest())), json::array());
  EXPECT_TRUE(tool.running());
}

// How the VMM reaches a disk, past the host's page cache.
struct DiskAccess {
  const char* name;
  std::vector<std::string> drive;
  bool drains;  // somebody else writes to memory for it
};

std::string name_of(const testing::TestParamInfo<DiskAccess>& info) { return info.param.name; }
void PrintTo(const DiskAccess& access, std::ostream* out) { *out << access.name; }

class ForkUnderDiskLoad : public testing::TestWithParam<DiskAccess> {
 protected:
  void SetUp() override {
    if (!kernel_available("6.1")) GTEST_SKIP() << "SKIPPED: guest kernel 6.1";
    const std::string disk = make_disk();
    GuestOptions options{.name = "fork-disk"};
    for (std::string argument : GetParam().drive) {
      if (const auto at = argument.find("DISK"); at != std::string::npos)
        argument.replace(at, 4, disk);
      options.arguments.push_back(std::move(argument));
    }
    guest_.emplace(std::move(options));
    guest_->run("for module in /modules/*; do insmod $module; done; ls /dev/vda");
  }

  Guest& guest() { return *guest_; }

 private:
  // Where temporary files may be in memory, which no disk reads into, the environment names a disk.
  std::string make_disk() const {
    if (const char* given = std::getenv("VITRINE_DISK")) return given;
    const std::filesystem::path path = disk_.path() / "disk";
    std::ofstream{path};
    std::filesystem::resize_file(path, 64 << 20);
    return path;
  }

  TemporaryFolder disk_;
  std::optional<Guest> guest_;
};

// Hundreds of copies taken while the guest verifies its disk.
TEST_P(ForkUnderDiskLoad, TheDiskGivesBackWhatWasWritten) {
  const json before = vm_state(guest());
  const TemporaryFolder files;
  Subprocess tool(
      vitrine_command({"rate", guest().name(), "--technique", "fork", "--seconds", "12", "--json"}),
      files.path() / "out", files.path() / "err");
  const std::string checked =
      guest().run("guest_tool check_disk /dev/vda 8", std::chrono::seconds(120));
  EXPECT_THAT(checked, testing::MatchesRegex("right: [0-9]+\n"));
  ASSERT_TRUE(tool.wait(std::chrono::seconds(60)));
  ASSERT_EQ(tool.status(), 0) << read_file(files.path() / "err");
  const json rate = json::parse(read_file(files.path() / "out"));
  EXPECT_GT(rate.at("views"), 20) << rate;
  EXPECT_EQ(rate.at("drained_ns") > 0, GetParam().drains) << rate;
  EXPECT_LE(rate.at("drained_ns"), rate.at("stopped_ns")) << rate;
  EXPECT_EQ(json::diff(before, vm_state(guest())), json::array());
  std::cout << rate.at("views") << " copies, " << checked;
}

INSTANTIATE_TEST_SUITE_P(
    Any, ForkUnderDiskLoad,
    testing::Values(
        DiskAccess{
            "Threads", {"-drive", "file=DISK,format=raw,if=virtio,cache=none,aio=threads"}, false},
        DiskAccess{
            "LinuxAio", {"-drive", "file=DISK,format=raw,if=virtio,cache=none,aio=native"}, true},
        DiskAccess{
            "IoUring", {"-drive", "file=DISK,format=raw,if=virtio,cache=none,aio=io_uring"}, true},
        DiskAccess{"OwnThread",
                   {"-object", "iothread,id=io", "-drive",
                    "file=DISK,format=raw,if=none,id=disk,cache=none,aio=native", "-device",
                    "virtio-blk-pci,drive=disk,iothread=io"},
                   true}),
    name_of);

TEST(ForkWithoutMonitor, SaysThatAsynchronousDisksCannotBeDrained) {
  if (!kernel_available("6.1")) GTEST_SKIP() << "SKIPPED: guest kernel 6.1";
  const TemporaryFolder disk;
  std::ofstream(disk.path() / "disk");
  std::filesystem::resize_file(disk.path() / "disk", 1 << 20);
  Guest guest({.name = "fork-unmonitored",
               .qmp = QmpSocket::absent,
               .arguments = {"-drive", "file=" + (disk.path() / "disk").string() +
                                           ",format=raw,if=virtio,cache=none,aio=native"}});
  const Finished refused = vitrine({"ps", guest.name(), "--technique", "fork"});
  EXPECT_EQ(refused.status, 1) << refused.output;
  EXPECT_THAT(refused.errors, testing::HasSubstr("brought to rest"));
}

}  // namespace
}  // namespace vitrine::live
