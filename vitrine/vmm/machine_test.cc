#include "vitrine/vmm/machine.h"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <filesystem>

#include "vitrine/host/process_copy.h"
#include "vitrine/host/testing/fake_proc.h"

namespace vitrine::vmm {
namespace {

using ::testing::HasSubstr;

constexpr const char* kQemu = "/usr/bin/qemu-system-x86_64";

class Machines : public ::testing::Test {
 protected:
  void SetUp() override {
    proc_.process(5, "bash", "bash|qemu-system-x86_64", "/bin/bash");
    proc_.process(10, "qemu", "qemu-system-x86_64|-name|guest=web,debug-threads=on|-m|1G", kQemu);
    proc_.process(11, "kvm", "/usr/bin/kvm|-name|db", kQemu);
    proc_.process(12, "kvm", "/usr/bin/kvm|-name|db", kQemu);
    proc_.process(13, "my-vmm", "/opt/link|-name|10", kQemu);
    proc_.process(14, "unreadable", "qemu-kvm|-m|256", "");
    proc_.process(20, "zombie", "", "", 'Z');
    proc_.process(21, "qemu", "qemu-system-x86_64|-name|guest=web,debug-threads=on|-m|1G", kQemu,
                  't', 10);
  }
  base::Result<Machine> find(const std::string& spec) const {
    return vmm::find(spec, proc_.root());
  }

  host::testing::FakeProc proc_;
};

TEST_F(Machines, AreThoseThatRunQemuByWhateverName) {
  std::vector<pid_t> pids;
  for (const Machine& machine : list(proc_.root())) pids.push_back(machine.process.pid);
  EXPECT_THAT(pids, ::testing::ElementsAre(10, 11, 12, 13, 14)) << "21 is a snapshot's copy of 10";
}

// While it is being taken, the VMM itself is traced, too.
TEST_F(Machines, ACopyThatAToolKeepsIsNone) {
  proc_.process(30, host::ProcessCopy::kKeeperName, "vitrine", "/bin/vitrine");
  proc_.process(22, "kvm", "/usr/bin/kvm|-name|copied", kQemu);
  proc_.process(23, "kvm", "/usr/bin/kvm|-name|copied", kQemu, 't');
  proc_.write("23/stat", "23 (kvm) t 1 2 3 0 -1 4194560 5 6 7 8 9 10 11 12 20 0 1 0 7778 123 45\n");
  for (const char* pid : {"22", "23"})
    proc_.write(std::string(pid) + "/status", "Name:\tkvm\nPPid:\t1\nTracerPid:\t30\n");
  EXPECT_EQ(find("copied")->process.pid, 22);
  proc_.write("23/status", "Name:\tkvm\nPPid:\t1\nTracerPid:\t0\n");
  EXPECT_EQ(find("copied").error().code, base::Code::ambiguous);
}

// As a child that the VMM forked is, for a moment.
TEST_F(Machines, AProcessThatEndsWhileTheyAreListedIsNone) {
  proc_.process(22, "kvm", "/usr/bin/kvm|-name|brief", kQemu);
  EXPECT_EQ(find("brief")->process.pid, 22);
  std::filesystem::remove(proc_.root().of(22, "status"));
  EXPECT_EQ(find("brief").error().code, base::Code::absent);
}

TEST_F(Machines, AreFoundByProcessNameAndPrefix) {
  EXPECT_EQ(find("11")->process, (host::ProcessIdentity{11, 7777}));
  EXPECT_EQ(find("web")->process.pid, 10);
  EXPECT_EQ(find("web")->memory, 1U << 30);
  EXPECT_EQ(find("10")->process.pid, 10) << "a process id goes before a name";
  EXPECT_EQ(find("name:10")->process.pid, 13);
  EXPECT_EQ(find("pid:13")->name, "10");
}

TEST_F(Machines, OfOneNameAreAmbiguous) {
  const auto found = find("db");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, base::Code::ambiguous);
  EXPECT_THAT(found.error().message, HasSubstr("11, 12"));
  EXPECT_THAT(found.error().remedy, HasSubstr("pid:11"));
}

TEST_F(Machines, ThatDoNotExistAreAbsentAndTheOthersNamed) {
  for (const char* spec : {"mail", "name:mail", "qmp:/none", "999", ""}) {
    const auto found = find(spec);
    ASSERT_FALSE(found) << spec;
    EXPECT_EQ(found.error().code, base::Code::absent) << spec;
    EXPECT_THAT(found.error().remedy, HasSubstr("web (pid 10)")) << spec;
  }
  EXPECT_EQ(find("pid:999").error().code, base::Code::gone);
  EXPECT_EQ(find("pid:x").error().code, base::Code::invalid);
}

TEST_F(Machines, AreNotOtherProcesses) {
  for (const char* spec : {"5", "pid:5", "pid:20"}) {
    const auto found = find(spec);
    ASSERT_FALSE(found) << spec;
    EXPECT_EQ(found.error().code, base::Code::invalid) << spec;
    EXPECT_THAT(found.error().message, HasSubstr("is not a VM")) << spec;
  }
}

TEST_F(Machines, AThreadIsNotAMachine) {
  proc_.process(30, "CPU 0/TCG", "qemu-system-x86_64", kQemu);
  proc_.write("30/status", "Name:\tx\nTgid:\t10\nPPid:\t1\n");
  EXPECT_THAT(find("pid:30").error().message, HasSubstr("thread of VMM 10"));
}

TEST(OpenQmp, TellsASocketThatCannotBeReachedFromNone) {
  Machine machine;
  machine.command_line = parse_command_line({"kvm", "-qmp", "unix:/none,server=on"});
  const auto qmp = open_qmp(machine);
  EXPECT_EQ(qmp.error().code, base::Code::absent);
  EXPECT_THAT(qmp.error().message, HasSubstr("-qmp unix:/none,server=on"));
}

TEST(OpenQmp, SaysThatTheVmmIsStopped) {
  host::testing::FakeProc proc;
  proc.process(12, "kvm", "kvm", "", 'T');
  const base::FileDescriptor silent(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const std::string path = proc.root().of("qmp");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(silent.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(silent.get(), 1), 0);
  Machine machine;
  machine.process.pid = 12;
  machine.qmp = QmpEndpoint{path, path, "-qmp"};
  QmpLimits limits;
  limits.greeting = std::chrono::milliseconds(20);
  const auto qmp = open_qmp(machine, limits, proc.root());
  EXPECT_EQ(qmp.error().code, base::Code::timeout);
  EXPECT_THAT(qmp.error().message, HasSubstr("is stopped"));
}

TEST(OpenQmp, SaysHowToGetASocket) {
  const auto qmp = open_qmp(Machine{});
  EXPECT_EQ(qmp.error().code, base::Code::absent);
  EXPECT_THAT(qmp.error().remedy, HasSubstr("-qmp unix:"));
}

}  // namespace
}  // namespace vitrine::vmm
