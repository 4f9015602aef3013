// Pages that the guest has swapped out are told apart from those that do not exist.
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

}  // namespace
}  // namespace vitrine::live
