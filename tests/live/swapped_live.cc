// Pages that the guest has swapped out are told apart from those that do not exist.
#include <map>

#include "tests/live/guest_test.h"

namespace vitrine::live {
namespace {

class Swapped : public GuestTest {
 protected:
  static void SetUpTestSuite() { boot({.name = "swapped"}); }
};

TEST_F(Swapped, ACommandLineOnSwapIsNullWithTheReason) {
  const std::string pid = guest().run(
      "for p in /proc/[0-9]*; do grep -q -a 'arguments with' $p/cmdline 2>/dev/null && "
      "[ $p != /proc/$$ ] && echo ${p#/proc/}; done | head -n 1");
  ASSERT_GT(std::atoi(pid.c_str()), 1) << pid;
  guest().run(
      "for module in /modules/*zsmalloc.ko /modules/*zram.ko; do insmod $module; done; "
      "echo deflate > /sys/block/zram0/comp_algorithm && "
      "echo 64M > /sys/block/zram0/disksize && mkswap /dev/zram0 && swapon /dev/zram0");
  const auto row = [&](int status) {
    const auto observed = vitrine_json({"ps", guest().name()}, status);
    for (const auto& candidate : observed.at("rows"))
      if (candidate.at("pid") == std::atoi(pid.c_str())) return candidate;
    return nlohmann::json();
  };
  EXPECT_THAT(row(0).at("cmdline").get<std::string>(), testing::HasSubstr("arguments with spaces"));
  guest().run("guest_tool swap_out " + pid);
  // Something could not be read: the status says so.
  const auto swapped = row(3);
  EXPECT_TRUE(swapped.at("cmdline").is_null()) << swapped;
  ASSERT_EQ(swapped.at("errors").size(), 1U) << swapped;
  EXPECT_EQ(swapped.at("errors").at(0).at("field"), "cmdline");
  EXPECT_EQ(swapped.at("errors").at(0).at("code"), "absent");
  EXPECT_THAT(swapped.at("errors").at(0).at("message").get<std::string>(),
              testing::HasSubstr("swapped out"));
  EXPECT_EQ(swapped.at("comm"), "guest_tool");
  // The guest's own look brings the page back.
  guest().run("cat /proc/" + pid.substr(0, pid.find('\n')) + "/cmdline > /dev/null");
  EXPECT_THAT(compare_ps(guest()), testing::IsEmpty());
}

// On the swap that the test before has set up: a file in memory alone, of which a group of
// processes is made to give its pages back.
TEST_F(Swapped, PagesOfAFileOnSwapAreTold) {
  guest().run(
      "mkdir -p /groups && mount -t cgroup2 groups /groups && "
      "echo +memory > /groups/cgroup.subtree_control && mkdir /groups/one && "
      "sh -c 'echo $$ > /groups/one/cgroup.procs; "
      "dd if=/dev/urandom of=/tmp/swapped bs=1M count=4' && "
      "(echo 8M > /groups/one/memory.reclaim || true)");
  const auto states = [&](int status) {
    const auto seen = vitrine_json({"cat", guest().name(), "/tmp/swapped"}, status);
    std::map<std::string, std::uint64_t> bytes;
    for (const auto& row : seen.at("rows"))
      bytes[row.at("state").get<std::string>()] += row.at("size_bytes").get<std::uint64_t>();
    EXPECT_EQ(seen.at("file").at("size_bytes"), 4 << 20);
    EXPECT_EQ(seen.at("file").at("sha256").is_null(), status == 3);
    return bytes;
  };
  auto swapped = states(3);
  EXPECT_GT(swapped["swapped"], 1U << 20);
  EXPECT_EQ(swapped["swapped"] + swapped["cached"], 4U << 20);
  const std::string hash = guest().run("sha256sum /tmp/swapped");
  EXPECT_EQ(states(0)["cached"], 4U << 20) << "the guest's own look brings them back";
  EXPECT_EQ(vitrine_json({"cat", guest().name(), "/tmp/swapped"}).at("file").at("sha256"),
            hash.substr(0, 64));
}

}  // namespace
}  // namespace vitrine::live
