// Kernels of several ages and ways of booting them: what the guest says against every field of ps.
#include <gtest/gtest.h>

#include "tests/live/guest_test.h"

namespace vitrine::live {
namespace {

using testing::IsEmpty;

struct Boot {
  const char* name;
  GuestOptions options;
};

GuestOptions kernel(const char* name, const char* append = "", const char* cpu = "") {
  return {.kernel = name, .cpu = cpu, .append = append, .sleepers = 80};
}

class KernelTest : public testing::TestWithParam<Boot> {};

TEST_P(KernelTest, ExplainsItselfAndItsTasks) {
  const GuestOptions& options = GetParam().options;
  if (!kernel_available(*options.kernel)) {
    GTEST_SKIP() << "SKIPPED: guest kernel " << *options.kernel;
  }
  Guest guest(options);
  const std::string release = guest.run("uname -r");
  const auto observed = vitrine_json({"ps", guest.name()});
  EXPECT_EQ(observed.at("kernel").at("release").get<std::string>() + "\n", release);
  EXPECT_EQ(observed.at("vm").at("pid"), guest.pid());
  EXPECT_EQ(observed.at("vm").at("name"), guest.name());
  EXPECT_EQ(observed.at("view"), "processes");
  EXPECT_THAT(compare_ps(guest), IsEmpty()) << guest.log();
  EXPECT_THAT(compare_ps(guest, {}, Tasks::threads), IsEmpty()) << "threads";
  EXPECT_THAT(compare_ps(guest, {"--no-cache"}), IsEmpty()) << "without a cache";
  EXPECT_NE(vitrine({"info", guest.name()}).output.find(release.substr(0, release.size() - 1)),
            std::string::npos);
}

// Names are marked for reading; conditions concern what the guest says.
TEST(Conditions, ConcernNamesWithoutTheirMarks) {
  Guest guest(kernel("6.1"));
  const Finished found =
      vitrine({"ps", guest.name(), "--where", "comm = kthreadd", "--columns", "pid,comm"});
  EXPECT_EQ(found.status, 0) << found.errors;
  EXPECT_THAT(found.output, testing::HasSubstr("[kthreadd]"));
  EXPECT_EQ(vitrine_json({"ps", guest.name(), "--where", "comm = kthreadd"}).at("rows").size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Debian, KernelTest,
                         testing::Values(Boot{"Bullseye", kernel("5.10")},
                                         Boot{"Bookworm", kernel("6.1")},
                                         Boot{"Trixie", kernel("6.12")}, Boot{"Sid", kernel("7")},
                                         Boot{"Arm64", kernel("6.1-arm64")},
                                         Boot{"Arm64Trixie", kernel("6.12-arm64", "", "max")},
                                         Boot{"FiveLevels", kernel("6.1", "", "max")},
                                         Boot{"FiveLevelsSid", kernel("7", "", "max")},
                                         Boot{"WithoutRandomLayout", kernel("6.1", "nokaslr")},
                                         Boot{"WithoutPageTableIsolation", kernel("6.1", "nopti")},
                                         Boot{"WithPageTableIsolation", kernel("6.1", "pti=on")}),
                         [](const auto& param_info) { return param_info.param.name; });

}  // namespace
}  // namespace vitrine::live
