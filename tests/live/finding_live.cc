// How a VM is found and reached: by name, pid and socket, under any program name, with QMP as
// libvirt writes it, busy or absent; and what happens when it cannot be.
#include <gtest/gtest.h>

#include <csignal>

#include "tests/live/guest_test.h"
#include "tests/live/qmp_client.h"

namespace vitrine::live {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class Finding : public GuestTest {
 protected:
  static void SetUpTestSuite() { boot({.name = "findme", .qmp = QmpSocket::chardev}); }
};

TEST_F(Finding, ListsTheVm) {
  const Finished listed = vitrine({"ls"});
  EXPECT_EQ(listed.status, 0) << listed.errors;
  EXPECT_THAT(listed.output, HasSubstr("findme"));
  EXPECT_THAT(listed.output, HasSubstr(std::to_string(guest().pid())));
}

TEST_F(Finding, TakesNamePidAndSocket) {
  const std::string pid = std::to_string(guest().pid());
  const std::string socket = guest().qmp();
  for (const std::string& vm : {std::string("findme"), std::string("name:findme"), pid,
                                "pid:" + pid, socket, "qmp:" + socket}) {
    EXPECT_EQ(vitrine_json({"ps", vm}).at("vm").at("pid"), guest().pid()) << vm;
  }
}

TEST_F(Finding, ReadsTheGuestThroughAChardevMonitor) {
  EXPECT_THAT(compare_ps(guest()), IsEmpty());
}

TEST_F(Finding, DoesWithoutQmpWhileAnotherClientHoldsIt) {
  const QmpClient holder(guest().qmp());
  EXPECT_THAT(compare_ps(guest()), IsEmpty());
}

TEST_F(Finding, RefusesAnUnknownVm) {
  const Finished refused = vitrine({"ps", "no-such-vm"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.errors, HasSubstr("no-such-vm"));
  EXPECT_EQ(refused.output, "");
}

TEST_F(Finding, RefusesAnAmbiguousName) {
  Guest twin({.kernel = std::nullopt, .name = "findme", .memory = "64M"});
  const Finished refused = vitrine({"ps", "findme"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.errors, HasSubstr(std::to_string(twin.pid())));
  EXPECT_THAT(refused.errors, HasSubstr(std::to_string(guest().pid())));
}

TEST_F(Finding, TellsAVmWhoseSocketNeverAnswersWithinBoundedTime) {
  guest().vmm().signal(SIGSTOP);
  const Finished observed = vitrine({"ps", "findme"}, std::chrono::seconds(30));
  guest().vmm().signal(SIGCONT);
  EXPECT_TRUE(observed.status == 0 || observed.status == 1) << observed.errors;
  EXPECT_NE(observed.output + observed.errors, "");
}

class OwnMounts : public GuestTest {
 protected:
  static void SetUpTestSuite() { boot({.name = "own-mounts", .own_mounts = true}); }
};

TEST_F(OwnMounts, TheSocketIsFoundInTheMountNamespaceOfTheVmm) {
  ASSERT_FALSE(std::filesystem::exists(guest().qmp())) << "the socket can be seen from outside";
  EXPECT_THAT(vitrine({"ls"}).output, HasSubstr("own-mounts"));
  const auto observed = vitrine_json({"ps", "own-mounts"});
  EXPECT_EQ(observed.at("vm").at("pid"), guest().pid());
  // Without the monitor there would be a warning that the layout was derived from outside.
  EXPECT_THAT(observed.at("warnings"), IsEmpty());
  EXPECT_THAT(compare_ps(guest()), IsEmpty());
}

class OtherProgram : public GuestTest {
 protected:
  static void SetUpTestSuite() {
    boot({.name = "renamed", .qmp = QmpSocket::absent, .program = "qemu-kvm"});
  }
};

TEST_F(OtherProgram, IsFoundAndReadWithoutQmp) {
  EXPECT_THAT(vitrine({"ls"}).output, HasSubstr("renamed"));
  EXPECT_THAT(compare_ps(guest()), IsEmpty());
}

}  // namespace
}  // namespace vitrine::live
