// A VM that libvirt runs and whose monitor it holds, as on most hosts. libvirt's session daemon is
// the test's own: its folders are temporary, it is nobody's where the test is root (to whom libvirt
// gives no session), and the domain ends with the client that made it.
#include <unistd.h>

#include <fstream>

#include "tests/live/guest_test.h"

namespace vitrine::live {
namespace {

using testing::HasSubstr;

class Libvirt : public testing::Test {
 protected:
  void SetUp() override {
    if (!kernel_available("6.1")) GTEST_SKIP() << "SKIPPED: guest kernel 6.1";
    std::filesystem::copy_file(guest_assets() / "vmlinuz-6.1", here() / "vmlinuz");
    std::ofstream(here() / "initrd", std::ios::binary)
        << read_file(guest_assets() / "initramfs.cpio.gz");
    std::ofstream(here() / "domain.xml") << domain();
    ASSERT_EQ(chown(here().c_str(), kNobody, kNobody), geteuid() == 0 ? 0 : -1);
    const std::string log = (here() / "log").string();
    daemon_ = std::make_unique<Subprocess>(as_user({"libvirtd", "--timeout", "60"}),
                                           log + ".daemon", log + ".daemon-errors");
    client_ = std::make_unique<Subprocess>(
        as_user({"virsh", "--connect", "qemu:///session",
                 "create --autodestroy " + (here() / "domain.xml").string() +
                     "; event --loop --domain managed --event lifecycle"}),
        log + ".client", log + ".client-errors");
    try {
      LocalSocket console(here() / "serial", std::chrono::seconds(60));
      console.read_until("vitrine-guest-ready", std::chrono::seconds(120));
    } catch (const std::runtime_error& error) {
      FAIL() << error.what() << read_file(log + ".client-errors")
             << read_file(log + ".daemon-errors");
    }
  }
  void TearDown() override { virsh({"destroy", "managed"}); }

  std::vector<std::string> as_user(const std::vector<std::string>& command) const {
    std::vector<std::string> whole;
    if (geteuid() == 0) {
      const std::string nobody = std::to_string(kNobody);
      whole = {"setpriv", "--reuid",        nobody,        "--regid",
               nobody,    "--clear-groups", "--pdeathsig", "KILL"};
    }
    whole.emplace_back("env");
    for (const char* name : {"HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"})
      whole.push_back(std::string(name) + "=" + here().string());
    whole.insert(whole.end(), command.begin(), command.end());
    return whole;
  }
  Finished virsh(const std::vector<std::string>& arguments) const {
    std::vector<std::string> command{"virsh", "--connect", "qemu:///session"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return run(as_user(command), std::chrono::seconds(60));
  }
  std::filesystem::path here() const { return folder_.path(); }

 private:
  std::string domain() const {
    const std::string folder = here().string();
    return "<domain type='qemu'><name>managed</name><memory unit='MiB'>512</memory>"
           "<os><type arch='x86_64' machine='pc'>hvm</type><kernel>" +
           folder + "/vmlinuz</kernel><initrd>" + folder +
           "/initrd</initrd><cmdline>console=ttyS0 quiet vitrine.sleepers=40</cmdline></os>"
           "<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>"
           "<serial type='unix'><source mode='bind' path='" +
           folder + "/serial'/></serial><memballoon model='none'/></devices></domain>";
  }

  static constexpr uid_t kNobody = 65534;
  TemporaryFolder folder_;
  std::unique_ptr<Subprocess> daemon_;
  std::unique_ptr<Subprocess> client_;
};

TEST_F(Libvirt, ADomainIsNamedAndReadWhileLibvirtHoldsItsMonitor) {
  EXPECT_THAT(vitrine({"ls"}).output, HasSubstr("managed"));
  const auto observed = vitrine_json({"ps", "managed"});
  EXPECT_EQ(observed.at("vm").at("name"), "managed");
  int sleepers = 0;
  for (const auto& row : observed.at("rows"))
    sleepers += row.at("comm").get<std::string>().starts_with("sleeper-") ? 1 : 0;
  EXPECT_EQ(sleepers, 40);
  // libvirt's own connection is none the worse for it.
  const Finished asked =
      virsh({"qemu-monitor-command", "managed", R"({"execute":"query-status"})"});
  EXPECT_EQ(asked.status, 0) << asked.errors;
  EXPECT_THAT(asked.output, HasSubstr("running"));
}

}  // namespace
}  // namespace vitrine::live
