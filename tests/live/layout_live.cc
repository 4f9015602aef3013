// Where the guest's RAM lies in the VMM: one test per layout, each with a VM of its own. A wrong
// layout shows as rows that are missing or differ from what the guest says of itself.
#include <gtest/gtest.h>

#include "tests/live/guest_test.h"
#include "tests/live/qmp_client.h"

namespace vitrine::live {
namespace {

using testing::IsEmpty;

struct Layout {
  const char* name;
  GuestOptions options;
  bool mappable = false;  // the RAM is in a shared backend, so `map` can be used, too
};

GuestOptions with(std::vector<std::string> arguments, std::string memory = "512M") {
  return {.memory = std::move(memory), .arguments = std::move(arguments)};
}

GuestOptions on_machine(GuestOptions options, std::string machine) {
  options.machine = std::move(machine);
  return options;
}

std::vector<std::string> backend(const std::string& kind, const std::string& size) {
  return {"-object", kind + ",id=ram,size=" + size, "-machine", "memory-backend=ram"};
}

std::vector<std::string> file_backend(const std::string& share) {
  // The VM's own folder is in the name, so that two runs at once do not share RAM.
  return backend("memory-backend-file,mem-path=/dev/shm/vitrine-live-" +
                     std::to_string(::getpid()) + ",discard-data=on,share=" + share,
                 "512M");
}

std::vector<std::string> two_nodes() {
  return {"-smp",    "2",
          "-object", "memory-backend-memfd,id=a,size=256M,share=on",
          "-object", "memory-backend-ram,id=b,size=256M",
          "-numa",   "node,nodeid=0,cpus=0,memdev=a",
          "-numa",   "node,nodeid=1,cpus=1,memdev=b"};
}

std::vector<std::string> ivshmem() {
  return {"-object", "memory-backend-memfd,id=device,size=2G,share=on", "-device",
          "ivshmem-plain,memdev=device"};
}

const std::string kMemfd = "memory-backend-memfd,share=on";

const std::vector<Layout>& layouts() {
  static const std::vector<Layout> all{
      {"DefaultPrivateRam", with({})},
      {"Memfd", with(backend(kMemfd, "512M")), true},
      {"SharedFile", with(file_backend("on")), true},
      {"PrivateFile", with(file_backend("off"))},
      {"AboveFourGigabytes", with(backend(kMemfd, "5G"), "5G"), true},
      {"AboveFourGigabytesPrivate", with({}, "5G")},
      {"AboveFourGigabytesOnQ35", on_machine(with(backend(kMemfd, "5G"), "5G"), "q35"), true},
      {"TwoNodes", with(two_nodes())},
      {"LargerUnrelatedDevice", with(ivshmem())},
  };
  return all;
}

class LayoutTest : public testing::TestWithParam<Layout> {
 protected:
  void TearDown() override {
    std::error_code ignored;
    std::filesystem::remove("/dev/shm/vitrine-live-" + std::to_string(::getpid()), ignored);
  }
};

TEST_P(LayoutTest, ShowsTheProcessesOfTheGuest) {
  if (!kernel_available("6.1")) GTEST_SKIP() << "SKIPPED: guest kernel 6.1";
  Guest guest(GetParam().options);
  EXPECT_THAT(compare_ps(guest, {"--technique", "process-vm"}), IsEmpty()) << guest.log();
  EXPECT_THAT(compare_ps(guest), IsEmpty()) << "with the technique chosen by itself";
  if (GetParam().mappable) {
    EXPECT_THAT(compare_ps(guest, {"--technique", "map"}), IsEmpty());
  } else {
    const Finished refused = vitrine({"ps", guest.name(), "--technique", "map"});
    EXPECT_EQ(refused.status, 1) << "private RAM cannot be mapped: " << refused.output;
    EXPECT_NE(refused.errors, "");
  }
}

INSTANTIATE_TEST_SUITE_P(Ram, LayoutTest, testing::ValuesIn(layouts()),
                         [](const auto& param_info) { return param_info.param.name; });

class HotPlug : public GuestTest {
 protected:
  static void SetUpTestSuite() { boot({.name = "hotplug", .memory = "512M,slots=2,maxmem=2G"}); }
};

TEST_F(HotPlug, SeesTasksWhoseMemoryIsInAPluggedModule) {
  QmpClient(guest().qmp())
      .execute("object-add",
               {{"qom-type", "memory-backend-ram"}, {"id", "more"}, {"size", 1 << 29}});
  QmpClient(guest().qmp())
      .execute("device_add", {{"driver", "pc-dimm"}, {"id", "dimm"}, {"memdev", "more"}});
  guest().run(
      "for i in 1 2 3 4 5 6 7 8 9 10; do "
      "[ $(ls -d /sys/devices/system/memory/memory[0-9]* | wc -l) -gt 4 ] && break; "
      "sleep 1; done; for state in /sys/devices/system/memory/memory*/state; do "
      "grep -q offline $state && echo online > $state; done; true");
  // Fill what was there before, so that new tasks are in the new memory.
  guest().run("dd if=/dev/zero of=/tmp/fill bs=1M count=330 2>/dev/null; guest_tool sleepers 60");
  EXPECT_THAT(compare_ps(guest()), IsEmpty());
}

}  // namespace
}  // namespace vitrine::live
