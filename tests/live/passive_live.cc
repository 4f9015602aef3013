// Observing changes nothing: the VMM's memory is the same before and after, also of a ballooned
// guest, whose RAM has holes that a read would fill.
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/live/balloon.h"
#include "tests/live/guest_test.h"
#include "tests/live/qmp_client.h"
#include "tests/live/vmm_memory.h"

namespace vitrine::live {
namespace {

constexpr std::uint64_t kMegabyte = 1 << 20;

void expect_same(std::uint64_t before, std::uint64_t after, std::uint64_t noise, const char* what) {
  EXPECT_LE(after, before + noise) << what;
  EXPECT_GE(after + noise, before) << what;
}

void expect_passive(Guest& guest, const std::string& technique) {
  // Thousands of observations each; twice, so that what attaching makes the VMM's monitor allocate
  // for its answers is there before.
  const std::vector<std::string> command{"rate",      guest.name(), "--technique", technique,
                                         "--seconds", "1",          "--no-cache"};
  ASSERT_EQ(vitrine(command).status, 0);
  const VmmMemory before = vmm_memory(guest.pid());
  for (int i = 0; i < 2; ++i) ASSERT_EQ(vitrine(command).status, 0);
  const VmmMemory after = vmm_memory(guest.pid());
  SCOPED_TRACE(testing::Message() << technique << ": before " << before << "; after " << after);
  expect_same(before.anonymous_bytes, after.anonymous_bytes, kVmmNoise, "anonymous");
  expect_same(before.shared_bytes, after.shared_bytes, kGuestNoise, "shared");
  expect_same(before.rss_bytes, after.rss_bytes, kVmmNoise, "resident");
  expect_same(before.backend_bytes, after.backend_bytes, kGuestNoise, "backend files");
}

class PassiveOnSharedRam : public GuestTest {
 protected:
  static void SetUpTestSuite() {
    boot({.name = "passive-shared",
          .arguments = {"-object", "memory-backend-memfd,id=ram,size=512M,share=on", "-machine",
                        "memory-backend=ram", "-device", "virtio-balloon"}});
  }
};

TEST_F(PassiveOnSharedRam, LeavesTheHolesOfABalloonedGuestAlone) {
  // Touch all memory, so that ballooning must punch holes rather than find them.
  guest().run("dd if=/dev/zero of=/tmp/fill bs=1M count=200 2>/dev/null; rm /tmp/fill");
  const VmmMemory full = vmm_memory(guest().pid());
  inflate_balloon(guest(), 128 * kMegabyte);
  ASSERT_LT(vmm_memory(guest().pid()).backend_bytes, full.backend_bytes) << "no holes to test with";
  expect_passive(guest(), "process-vm");
  expect_passive(guest(), "map");
  EXPECT_THAT(compare_ps(guest(), {"--technique", "map"}), testing::IsEmpty());
}

class PassiveOnPrivateRam : public GuestTest {
 protected:
  static void SetUpTestSuite() {
    boot({.name = "passive-private", .arguments = {"-device", "virtio-balloon"}});
  }
};

TEST_F(PassiveOnPrivateRam, LeavesTheHolesOfABalloonedGuestAlone) {
  inflate_balloon(guest(), 128 * kMegabyte);
  expect_passive(guest(), "process-vm");
  EXPECT_THAT(compare_ps(guest()), testing::IsEmpty());
}

}  // namespace
}  // namespace vitrine::live
