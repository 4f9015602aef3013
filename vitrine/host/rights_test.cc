#include "vitrine/host/rights.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include "vitrine/host/testing/fake_proc.h"

namespace vitrine::host {
namespace {

using ::testing::HasSubstr;

class Denial : public ::testing::Test {
 protected:
  void SetUp() override { become(1000, "0000000000000000"); }

  void become(unsigned user, const std::string& capabilities) {
    proc_.write("self/status", status(user) + "CapEff:\t" + capabilities + "\n");
  }
  void target(unsigned user) { proc_.write("12/status", status(user)); }
  base::Error explain() const {
    base::Error error = explain_denial(12, proc_.root());
    EXPECT_EQ(error.code, base::Code::denied);
    return error;
  }
  static std::string status(unsigned user) {
    const std::string id = std::to_string(user);
    return "Name:\tx\nUid:\t" + id + "\t" + id + "\n";
  }

  testing::FakeProc proc_;
};

TEST_F(Denial, NamesBothUsersAndHowToGrantTheCapability) {
  target(107);
  const auto error = explain();
  EXPECT_THAT(error.message, HasSubstr("belongs to user 107, we run as user 1000"));
  EXPECT_THAT(error.remedy, HasSubstr("sudo"));
  EXPECT_THAT(error.remedy, HasSubstr("setcap cap_sys_ptrace=ep $(command -v vitrine)"));
}

TEST_F(Denial, NamesYama) {
  become(::getuid(), "0");
  target(::getuid());
  proc_.write("sys/kernel/yama/ptrace_scope", "1\n");
  EXPECT_THAT(explain().message, HasSubstr("ptrace_scope is 1"));
  proc_.write("sys/kernel/yama/ptrace_scope", "3\n");
  EXPECT_THAT(explain().message, HasSubstr("forbids it to everyone"));
}

TEST_F(Denial, NamesAProcessThatMayNotBeDumped) {
  // Its folder belongs to whoever runs the test, not to the user it runs as.
  become(::getuid() + 1, "0");
  target(::getuid() + 1);
  EXPECT_THAT(explain().message, HasSubstr("may not be dumped"));
}

TEST_F(Denial, DoesNotAskForACapabilityThatIsHeld) {
  become(1000, "0000000000080000");
  target(107);
  const auto error = explain();
  EXPECT_THAT(error.message, HasSubstr("another user namespace"));
  EXPECT_THAT(error.remedy, ::testing::Not(HasSubstr("setcap")));
}

}  // namespace
}  // namespace vitrine::host
