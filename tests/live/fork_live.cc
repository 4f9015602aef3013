// The technique `fork`: a copy of the VMM that is there only as long as it is looked at.
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <thread>

#include "tests/live/disk.h"
#include "tests/live/guest_test.h"
#include "tests/live/qmp_client.h"
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

TEST_F(Fork, ADryRunSaysWhatItWouldDoAndDoesNothing) {
  const json before = vm_state(guest());
  const json plan = vitrine_json({"ps", guest().name(), "--technique", "fork", "--dry-run"});
  EXPECT_EQ(plan.at("technique"), "fork");
  EXPECT_GE(plan.at("steps").size(), 4U) << plan;
  EXPECT_TRUE(plan.at("refused").is_null()) << plan;
  EXPECT_EQ(json::diff(before, vm_state(guest())), json::array());
  const json frozen = vitrine_json({"ps", guest().name(), "--pause=freeze", "--dry-run"});
  EXPECT_THAT(frozen.at("steps").dump(), testing::HasSubstr("threads are stopped"));
  EXPECT_TRUE(vitrine_json({"ps", guest().name(), "--dry-run"}).at("steps").empty());
}

// What `vitrine snapshot` says it did, as JSON, and the image's manifest.
class ForkImages : public GuestTest {
 protected:
  // Small: on an emulated host each image takes its time.
  static void SetUpTestSuite() { boot({.name = "fork-images", .memory = "256M"}); }

  json snapshot(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "snapshot");
    arguments.emplace_back("--json");
    const Finished finished = vitrine(arguments, std::chrono::minutes(3), folder_.path());
    if (finished.status != 0) throw std::runtime_error(finished.errors);
    return json::parse(finished.output);
  }
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  std::string sha256(const json& taken) { return taken.at("image").at("sha256"); }

  // The guest goes on for a while, and stands still again.
  void let_run() {
    QmpClient(guest().qmp()).execute("cont");
    guest().run("dd if=/dev/urandom of=/tmp/noise bs=64k count=8 2>/dev/null; sleep 0.5");
    QmpClient(guest().qmp()).execute("stop");
  }
  void TearDown() override {
    QmpClient(guest().qmp()).execute("cont");
    GuestTest::TearDown();
  }

 private:
  TemporaryFolder folder_;
};

// While the VM is paused, its memory is what it is, so that an image taken after another is equal.
TEST_F(ForkImages, WhatChangedMergesIntoWhatAWholeImageIs) {
  const json before = vm_state(guest());
  snapshot({guest().name(), "--technique", "fork", "-o", path("a"), "--hold", "120"});
  let_run();
  const json first = snapshot({guest().name(), "--technique", "fork", "-o", path("b"), "--since",
                               path("a"), "--hold", "120"});
  EXPECT_EQ(first.at("since").at("compared"), "frames") << first;
  EXPECT_GT(first.at("pages").at("written"), 100) << first;
  EXPECT_LT(first.at("pages").at("written"), first.at("pages").at("unchanged")) << first;
  let_run();
  const json second =
      snapshot({guest().name(), "--technique", "fork", "-o", path("c"), "--since", path("b")});
  EXPECT_EQ(second.at("since").at("compared"), "frames") << second;
  const json whole = snapshot({guest().name(), "--technique", "fork", "-o", path("whole")});
  const json merged = snapshot({"--merge", path("c"), "-o", path("merged")});
  EXPECT_EQ(sha256(merged), sha256(whole));
  EXPECT_EQ(merged.at("merged").at("from").size(), 3U) << merged;
  QmpClient(guest().qmp()).execute("cont");
  EXPECT_EQ(json::diff(before, vm_state(guest())), json::array()) << "a copy was left behind";
}

TEST_F(ForkImages, WithoutACopyTheContentsAreCompared) {
  QmpClient(guest().qmp()).execute("stop");
  snapshot({guest().name(), "--technique", "fork", "-o", path("a")});
  let_run();
  for (const std::string technique : {"fork", "process-vm"}) {
    const json next = snapshot(
        {guest().name(), "--technique", technique, "-o", path(technique), "--since", path("a")});
    EXPECT_EQ(next.at("since").at("compared"), "contents") << next;
    EXPECT_LT(next.at("pages").at("written"), next.at("pages").at("unchanged")) << next;
    const json whole =
        snapshot({guest().name(), "--technique", technique, "-o", path("whole"), "--force"});
    const json merged = snapshot({"--merge", path(technique), "-o", path("merged"), "--force"});
    EXPECT_EQ(sha256(merged), sha256(whole)) << technique;
  }
}

TEST_F(ForkImages, RefusesWhatCannotBe) {
  const auto refused = [&](std::vector<std::string> arguments, int status, const char* why) {
    arguments.insert(arguments.begin(), "snapshot");
    const Finished finished = vitrine(arguments, std::chrono::minutes(3));
    EXPECT_EQ(finished.status, status) << shell_line(arguments) << finished.output;
    EXPECT_THAT(finished.errors, testing::HasSubstr(why));
  };
  const std::string vm = guest().name();
  snapshot({vm, "-o", path("a"), "--format", "raw"});
  snapshot({vm, "-o", path("b")});
  refused({vm, "--technique", "process-vm", "-o", path("n"), "--hold", "9"}, 1, "cannot hold");
  refused({"-o", path("n")}, 2, "either a VM or");
  refused({vm, "-o", path("n"), "--since", path("no")}, 1, "has no manifest");
  refused({vm, "-o", path("n"), "--since", path("b"), "--format", "kdump"}, 2, "format elf");
  refused({vm, "-o", path("n"), "--since", path("a")}, 1, "no ELF core");
  refused({vm, "-o", path("b"), "--since", path("b"), "--force"}, 2, "one of the images");
  refused({"--merge", path("b"), "-o", path("b"), "--force"}, 2, "one of the images");
  refused({"--merge", path("b"), "-o", path("n"), "--dry-run"}, 2, "--dry-run");
  EXPECT_EQ(vitrine({"snapshot", "--merge", path("b"), "-o", path("m")}).status, 0);
  std::ofstream(path("b"), std::ios::binary | std::ios::in).write("\x7f", 1).seekp(9'000'000)
      << 'x';
  refused({"--merge", path("b"), "-o", path("n")}, 1, "is not what its manifest says");
}

// A copy knows what changed, not what an image lacks.
TEST_F(ForkImages, OfAnImageThatLacksPagesTheContentsAreCompared) {
  QmpClient(guest().qmp()).execute("stop");
  snapshot({guest().name(), "--technique", "fork", "-o", path("a"), "--skip", "cache,free",
            "--hold", "120"});
  const json next =
      snapshot({guest().name(), "--technique", "fork", "-o", path("b"), "--since", path("a")});
  EXPECT_EQ(next.at("since").at("compared"), "contents") << next;
  const json whole = snapshot({guest().name(), "--technique", "fork", "-o", path("whole")});
  const json merged = snapshot({"--merge", path("b"), "-o", path("merged")});
  EXPECT_EQ(sha256(merged), sha256(whole));
}

class ForkUnderDiskLoad : public testing::TestWithParam<DiskAccess> {
 protected:
  void SetUp() override {
    if (!kernel_available("6.1")) GTEST_SKIP() << "SKIPPED: guest kernel 6.1";
    guest_.emplace(
        GuestOptions{.name = "fork-disk", .arguments = drive_arguments(GetParam(), disk_.path())});
    guest_->run("for module in /modules/*; do insmod $module; done; ls /dev/vda");
  }

  Guest& guest() { return *guest_; }

 private:
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

INSTANTIATE_TEST_SUITE_P(Any, ForkUnderDiskLoad, testing::ValuesIn(disk_accesses()), name_of);

TEST(ForkWithoutMonitor, SaysThatAsynchronousDisksCannotBeDrained) {
  if (!kernel_available("6.1")) GTEST_SKIP() << "SKIPPED: guest kernel 6.1";
  const TemporaryFolder disk;
  Guest guest({.name = "fork-unmonitored",
               .qmp = QmpSocket::absent,
               .arguments = {"-drive", "file=" + make_disk(disk.path()) +
                                           ",format=raw,if=virtio,cache=none,aio=native"}});
  const Finished refused = vitrine({"ps", guest.name(), "--technique", "fork"});
  EXPECT_EQ(refused.status, 1) << refused.output;
  EXPECT_THAT(refused.errors, testing::HasSubstr("brought to rest"));
  const Finished plan = vitrine({"ps", guest.name(), "--technique", "fork", "--dry-run"});
  EXPECT_EQ(plan.status, 1) << plan.output;
  EXPECT_THAT(plan.output, testing::HasSubstr("refused: "));
}

}  // namespace
}  // namespace vitrine::live
