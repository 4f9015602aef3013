// A VM that libvirt runs, read through libvirt.
#include <unistd.h>

#include <csignal>
#include <thread>

#include "tests/live/guest_test.h"
#include "tests/live/libvirt_session.h"

namespace vitrine::live {
namespace {

using testing::HasSubstr;

class LibvirtPeek : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (kernel_available("6.1"))
      session_ = std::make_unique<LibvirtSession>(LibvirtDomain{.name = "peeked"});
  }
  static void TearDownTestSuite() { session_.reset(); }
  void SetUp() override {
    if (session_ == nullptr) GTEST_SKIP() << "SKIPPED: guest kernel 6.1";
  }

  static LibvirtSession& session() { return *session_; }
  static std::string state() { return session().virsh({"domstate", "peeked"}).output; }

 private:
  static inline std::unique_ptr<LibvirtSession> session_;
};

TEST_F(LibvirtPeek, GivesTheRowsThatProcessVmGives) {
  // A kernel worker may come or go in between: three attempts.
  bool same = false;
  for (int i = 0; i < 3 && !same; ++i) {
    const auto rows = stable_rows("peeked", {"--technique", "libvirt"});
    EXPECT_GT(rows.size(), 40U);
    same = rows == stable_rows("peeked", {"--technique", "process-vm"});
  }
  EXPECT_TRUE(same);
  EXPECT_EQ(state(), "running\n\n");
}

// As the daemon's user, whose descriptors the daemon may open.
std::vector<std::string> dump_command(const LibvirtSession& session) {
  return session.as_user(
      vitrine_command({"ps", "peeked", "--technique", "libvirt-dump", "--json"}));
}

TEST_F(LibvirtPeek, GivesTheSameRowsThroughACoreDump) {
  bool same = false;
  for (int i = 0; i < 3 && !same; ++i) {
    const Finished finished = run(dump_command(session()), std::chrono::minutes(1));
    ASSERT_EQ(finished.status, 0) << finished.errors;
    const auto observed = nlohmann::json::parse(finished.output);
    EXPECT_EQ(observed.at("observation").at("consistency").at("atomic"), "proved");
    EXPECT_GT(observed.at("observation").at("stopped_ns"), 0);
    same = stable(observed) == stable_rows("peeked", {"--technique", "process-vm"});
  }
  EXPECT_TRUE(same);
  EXPECT_EQ(state(), "running\n\n");
}

TEST_F(LibvirtPeek, LetsTheGuestGoOnWhereADumpIsKilled) {
  for (int i = 0; i < 20; ++i) {
    const TemporaryFolder files;
    Subprocess tool(dump_command(session()), files.path() / "out", files.path() / "err");
    tool.wait(std::chrono::milliseconds(150 + 67 * i));
    tool.kill();
    for (int j = 0; j < 100 && state() != "running\n\n"; ++j)
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    ASSERT_EQ(state(), "running\n\n") << "killed the " << i << "th time";
  }
  EXPECT_THAT(session().virsh({"domjobinfo", "peeked"}).output, HasSubstr("None"));
}

TEST_F(LibvirtPeek, SaysWhyTheDaemonCannotDumpForAnotherUser) {
  if (::geteuid() != 0)
    GTEST_SKIP() << "SKIPPED: the daemon is another user's only where root tests";
  const Finished finished = vitrine({"ps", "peeked", "--technique", "libvirt-dump"});
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.errors, HasSubstr("Permission denied"));
  EXPECT_EQ(state(), "running\n\n");
}

TEST_F(LibvirtPeek, FindsADomainByNameAndUri) {
  for (const std::string& spec :
       {std::string("libvirt:peeked"), std::string("libvirt:qemu:///session/peeked"),
        "libvirt:" + session().uri() + "/peeked"}) {
    const auto observed = vitrine_json({"ps", spec, "--technique", "libvirt"});
    EXPECT_EQ(observed.at("vm").at("name"), "peeked") << spec;
    EXPECT_EQ(observed.at("vm").at("source"), spec);
  }
  const Finished missing = vitrine({"ps", "libvirt:no-such-domain"});
  EXPECT_EQ(missing.status, 1);
  EXPECT_THAT(missing.errors, HasSubstr("no-such-domain"));
  EXPECT_EQ(vitrine({"ps", "libvirt:qemu:///system/peeked"}).status, 1);
}

TEST_F(LibvirtPeek, LeavesNothingWhenItIsKilled) {
  for (int i = 0; i < 10; ++i) {
    const TemporaryFolder files;
    Subprocess tool(vitrine_command({"ps", "peeked", "--technique", "libvirt", "--watch", "0.01"},
                                    files.path()),
                    files.path() / "out", files.path() / "err");
    tool.wait(std::chrono::milliseconds(300 + 97 * i));
    tool.kill();
  }
  EXPECT_EQ(state(), "running\n\n");
  EXPECT_THAT(session().virsh({"domjobinfo", "peeked"}).output, HasSubstr("None"));
}

// The last one: the daemon is stopped, as one that hangs.
TEST_F(LibvirtPeek, ZGivesUpOnADaemonThatDoesNotAnswer) {
  session().daemon().signal(SIGSTOP);
  const Finished finished = vitrine({"ps", "peeked", "--technique", "libvirt"});
  const Finished listed = vitrine({"ls"});
  session().daemon().signal(SIGCONT);
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.errors, HasSubstr("does not answer"));
  EXPECT_THAT(listed.output, HasSubstr("peeked"));
}

TEST(LibvirtAbsent, IsSaidOfAVmThatLibvirtDoesNotRun) {
  const Guest guest({.kernel = {}, .name = "plain"});
  const auto listed = vitrine_json({"techniques", "plain"}).dump();
  EXPECT_THAT(listed, HasSubstr("not started by libvirt"));
}

}  // namespace
}  // namespace vitrine::live
