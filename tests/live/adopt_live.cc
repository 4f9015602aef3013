// The technique `adopt`: RAM that can be mapped, given to a VM that runs on and loses nothing by
// it.
#include <fstream>
#include <optional>
#include <random>
#include <sstream>
#include <thread>

#include "tests/live/disk.h"
#include "tests/live/guest_test.h"
#include "tests/live/qmp_client.h"
#include "tests/live/vm_state.h"

namespace vitrine::live {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;

// The VMM's mappings that are files of ours.
std::vector<std::string> adopted_mappings(const Guest& guest) {
  std::vector<std::string> found;
  std::istringstream lines(read_file("/proc/" + std::to_string(guest.pid()) + "/maps"));
  for (std::string line; std::getline(lines, line);)
    if (line.find("/memfd:vitrine-ram") != std::string::npos) found.push_back(line);
  return found;
}

// What the VM is besides; each adopted block of RAM leaves one file open.
json state_without_files(Guest& guest, std::size_t blocks) {
  json state = vm_state(guest);
  auto& files = state.at("unnamed descriptors");
  files = files.get<std::size_t>() - blocks;
  return state;
}

std::vector<std::string> adopting(const Guest& guest, std::vector<std::string> verb) {
  verb.insert(verb.begin() + 1, guest.name());
  for (const char* option : {"--technique", "adopt", "--allow-persistent-change"})
    verb.emplace_back(option);
  return verb;
}

// What a check in the guest said, once it is over.
std::string outcome(Guest& guest, const std::string& check) {
  guest.run("while ! [ -s /tmp/" + check + " ]; do sleep 0.2; done", std::chrono::seconds(90));
  return guest.run("cat /tmp/" + check);
}

// The guest writes to its memory and its disk meanwhile, and verifies both.
void expect_nothing_lost(Guest& guest, std::size_t blocks) {
  guest.run("for module in /modules/*; do insmod $module; done");
  const json before = state_without_files(guest, 0);
  // Everything takes longer where the host itself is emulated.
  const std::string seconds = accelerator() == "kvm" ? "45" : "16";
  std::vector<std::string> checks{"memory"};
  guest.run("(guest_tool check_memory 48 " + seconds + " >/tmp/memory 2>&1 &)");
  if (guest.run("ls /dev").find("vda") != std::string::npos) {
    checks.emplace_back("disk");
    guest.run("(guest_tool check_disk /dev/vda " + seconds + " >/tmp/disk 2>&1 &)");
  }
  const Finished adopted = vitrine(adopting(guest, {"ps", "--json"}), std::chrono::seconds(60));
  ASSERT_EQ(adopted.status, 0) << adopted.errors;
  for (const std::string& check : checks)
    EXPECT_EQ(guest.run("cat /tmp/" + check), "") << check << " was over before";
  const json observation = json::parse(adopted.output).at("observation");
  const auto stopped = observation.at("stopped_ns").get<double>();
  const auto drained = observation.at("drained_ns").get<double>();
  EXPECT_GT(stopped, drained) << observation;
  EXPECT_EQ(adopted_mappings(guest).size(), blocks);
  EXPECT_EQ(json::diff(before, state_without_files(guest, blocks)), json::array());
  for (const std::string& check : checks)
    EXPECT_THAT(outcome(guest, check), testing::MatchesRegex("right: [0-9]+\n")) << check;
  EXPECT_THAT(compare_ps(guest, {"--technique", "map"}), IsEmpty());
  // What was known of its RAM before is not believed.
  EXPECT_EQ(vitrine_json({"ps", guest.name()}).at("technique"), "map");
  std::cout << "stopped for " << stopped / 1e6 << " ms, of that " << drained / 1e6
            << " ms to drain\n";
}

class AdoptUnderDiskLoad : public testing::TestWithParam<DiskAccess> {};

TEST_P(AdoptUnderDiskLoad, LosesNothingOfMemoryOrDisk) {
  if (!kernel_available("6.1")) GTEST_SKIP() << "SKIPPED: guest kernel 6.1";
  const TemporaryFolder disk;
  Guest guest({.name = "adopt-disk", .arguments = drive_arguments(GetParam(), disk.path())});
  expect_nothing_lost(guest, 1);
}

INSTANTIATE_TEST_SUITE_P(Any, AdoptUnderDiskLoad, testing::ValuesIn(disk_accesses()), name_of);

struct Variant {
  const char* name;
  std::size_t blocks;
  GuestOptions options;
};
void PrintTo(const Variant& variant, std::ostream* out) { *out << variant.name; }

class AdoptVariants : public testing::TestWithParam<Variant> {};

TEST_P(AdoptVariants, LoseNothingOfMemory) {
  if (!kernel_available("6.1")) GTEST_SKIP() << "SKIPPED: guest kernel 6.1";
  Guest guest(GetParam().options);
  expect_nothing_lost(guest, GetParam().blocks);
}

INSTANTIATE_TEST_SUITE_P(
    Any, AdoptVariants,
    testing::Values(Variant{"AboveFourGigabytes", 1, {.name = "adopt-large", .memory = "4608M"}},
                    Variant{
                        "TwoNodes",
                        2,
                        {.name = "adopt-nodes",
                         .arguments = {"-smp", "2", "-object", "memory-backend-ram,id=a,size=256M",
                                       "-object", "memory-backend-ram,id=b,size=256M", "-numa",
                                       "node,memdev=a", "-numa", "node,memdev=b"}}},
                    // As libvirt starts every VM.
                    Variant{"UnderSeccomp",
                            1,
                            {.name = "adopt-sandbox",
                             .arguments = {"-sandbox",
                                           "on,obsolete=deny,elevateprivileges=deny,spawn=deny,"
                                           "resourcecontrol=deny"}}}),
    [](const auto& variant) { return std::string(variant.param.name); });

class Adopt : public GuestTest {
 protected:
  static void SetUpTestSuite() { boot({.name = "adopt", .memory = "256M"}); }
};

TEST_F(Adopt, IsNotDoneUnlessAllowed) {
  const json before = vm_state(guest());
  const Finished refused = vitrine({"ps", guest().name(), "--technique", "adopt"});
  EXPECT_EQ(refused.status, 2) << refused.output;
  EXPECT_THAT(refused.errors, HasSubstr("--allow-persistent-change"));
  const json plan = vitrine_json(adopting(guest(), {"ps", "--dry-run"}));
  EXPECT_GE(plan.at("steps").size(), 5U) << plan;
  EXPECT_TRUE(plan.at("refused").is_null()) << plan;
  EXPECT_THAT(adopted_mappings(guest()), IsEmpty());
  EXPECT_EQ(json::diff(before, vm_state(guest())), json::array());
}

// Whatever the instant at which the tool is killed, the VM has either its old RAM or the new one,
// goes on, and nothing else of the tool's is left in it.
TEST_F(Adopt, LosesNothingWhenItIsKilled) {
  const json before = vm_state(guest());
  guest().run("guest_tool check_memory 32 3600 >/tmp/memory 2>&1 & echo $! >/tmp/checker");
  std::mt19937 random(std::random_device{}());
  // Everything takes longer where the host itself is emulated.
  const unsigned more_ms = accelerator() == "kvm" ? 400 : 100;
  unsigned kills = 0;
  unsigned of_a_working_tool = 0;
  while (adopted_mappings(guest()).empty() && kills < 40) {
    // Later and later: hosts differ in how long all of it takes.
    const std::chrono::milliseconds after(random() % (500 + more_ms * kills));
    SCOPED_TRACE(testing::Message() << "killed after " << after.count() << " ms");
    const TemporaryFolder files;
    Subprocess tool(vitrine_command(adopting(guest(), {"ps"})), files.path() / "out",
                    files.path() / "err");
    std::this_thread::sleep_for(after);
    of_a_working_tool += tool.running() ? 1U : 0U;
    tool.kill();
    ++kills;
    json now;
    // The keeper has to see the end of the tool, and may be in the middle of the last step.
    for (int i = 0; i < 100; ++i) {
      now = state_without_files(guest(), adopted_mappings(guest()).size());
      if (now == before) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    ASSERT_EQ(json::diff(before, now), json::array());
    ASSERT_EQ(guest().run("cat /tmp/memory"), "");
  }
  std::cout << kills << " kills, " << of_a_working_tool << " of them in time\n";
  EXPECT_GT(of_a_working_tool, 0U);
  EXPECT_THAT(adopted_mappings(guest()), testing::SizeIs(1));
  // The checker goes through all of its memory once more.
  std::this_thread::sleep_for(std::chrono::seconds(3));
  EXPECT_EQ(guest().run("cat /tmp/memory"), "");
  guest().run("kill $(cat /tmp/checker)");
  EXPECT_THAT(compare_ps(guest()), IsEmpty());
}

// The module is private memory again, beside what was adopted.
TEST(AdoptTwice, TakesInMemoryThatWasPluggedInMeanwhile) {
  if (!kernel_available("6.1")) GTEST_SKIP() << "SKIPPED: guest kernel 6.1";
  Guest guest({.name = "adopt-twice", .memory = "256M,slots=1,maxmem=1G"});
  const Finished once = vitrine(adopting(guest, {"ps"}), std::chrono::seconds(60));
  ASSERT_EQ(once.status, 0) << once.errors;
  QmpClient(guest.qmp())
      .execute("object-add",
               {{"qom-type", "memory-backend-ram"}, {"id", "more"}, {"size", 1 << 28}});
  QmpClient(guest.qmp())
      .execute("device_add", {{"driver", "pc-dimm"}, {"id", "dimm"}, {"memdev", "more"}});
  EXPECT_EQ(vitrine({"ps", guest.name(), "--technique", "map"}).status, 1);
  EXPECT_EQ(adopted_mappings(guest).size(), 1U);
  EXPECT_THAT(compare_ps(guest, {"--technique", "process-vm"}), IsEmpty());
  const Finished again = vitrine(adopting(guest, {"ps"}), std::chrono::seconds(60));
  ASSERT_EQ(again.status, 0) << again.errors;
  EXPECT_EQ(adopted_mappings(guest).size(), 2U);
  EXPECT_THAT(compare_ps(guest, {"--technique", "map"}), IsEmpty());
}

TEST(AdoptRefuses, WhatItCannotDo) {
  if (!kernel_available("6.1")) GTEST_SKIP() << "SKIPPED: guest kernel 6.1";
  struct Case {
    const char* why;
    GuestOptions options;
  };
  for (const Case& refused :
       std::vector<Case>{{"brought to rest", {.name = "adopt-alone", .qmp = QmpSocket::absent}},
                         {"locked",
                          {.name = "adopt-locked",
                          .memory = "128M",
                          .arguments = {"-overcommit", "mem-lock=on"}}},
                         {"shared already",
                          {.name = "adopt-shared",
                          .arguments = {"-object", "memory-backend-memfd,share=on,id=ram,size=512M",
                                        "-machine", "memory-backend=ram"}}}}) {
    const Guest guest(refused.options);
    const Finished finished = vitrine(adopting(guest, {"ps"}));
    EXPECT_EQ(finished.status, 1) << finished.output;
    EXPECT_THAT(finished.errors, HasSubstr(refused.why));
    EXPECT_THAT(adopted_mappings(guest), IsEmpty());
  }
}

}  // namespace
}  // namespace vitrine::live
