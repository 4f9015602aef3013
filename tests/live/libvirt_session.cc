#include "tests/live/libvirt_session.h"

#include <unistd.h>

#include <fstream>
#include <stdexcept>
#include <thread>

#include "tests/live/guest.h"
#include "tests/live/local_socket.h"

namespace vitrine::live {
namespace {

namespace fs = std::filesystem;

constexpr uid_t kNobody = 65534;

}  // namespace

LibvirtSession::LibvirtSession(LibvirtDomain domain) : domain_(std::move(domain)) {
  lay_out_folder();
  const std::string log = (folder() / "log").string();
  daemon_ = std::make_unique<Subprocess>(as_user({"libvirtd", "--timeout", "60"}), log + ".daemon",
                                         log + ".daemon-errors");
  for (int i = 0; i < 300 && !fs::exists(folder() / "libvirt" / "libvirt-sock"); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  // The domain ends with the client that made it.
  client_ = std::make_unique<Subprocess>(
      as_user({"virsh", "--connect", "qemu:///session",
               "create --autodestroy " + (folder() / "domain.xml").string() +
                   "; event --loop --domain " + domain_.name + " --event lifecycle"}),
      log + ".client", log + ".client-errors");
  try {
    LocalSocket console(folder() / "serial", std::chrono::seconds(60));
    console.read_until("vitrine-guest-ready", std::chrono::seconds(180));
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(std::string(error.what()) + read_file(log + ".client-errors") +
                             read_file(log + ".daemon-errors"));
  }
}

LibvirtSession::~LibvirtSession() {
  try {
    virsh({"destroy", domain_.name});
  } catch (const std::runtime_error&) {
    // The domain is gone with its client, which ends now, too.
  }
}

std::string LibvirtSession::uri() const {
  return "qemu+unix:///session?socket=" + (folder() / "libvirt" / "libvirt-sock").string();
}

void LibvirtSession::lay_out_folder() const {
  fs::copy_file(guest_assets() / "vmlinuz-6.1", folder() / "vmlinuz");
  std::ofstream(folder() / "initrd", std::ios::binary)
      << read_file(guest_assets() / "initramfs.cpio.gz");
  std::ofstream(folder() / "domain.xml") << definition();
  if (::geteuid() == 0 && ::chown(folder().c_str(), kNobody, kNobody) != 0)
    throw std::runtime_error("cannot give the session's folder away");
}

std::string LibvirtSession::definition() const {
  const std::string here = folder().string();
  const bool kvm = accelerator() == "kvm";
  return std::string("<domain type='") + (kvm ? "kvm" : "qemu") + "'><name>" + domain_.name +
         "</name><memory unit='MiB'>" + std::to_string(domain_.mebibytes) + "</memory>" +
         (kvm ? "<cpu mode='host-passthrough'/>" : "") +
         "<os><type arch='x86_64' machine='pc'>hvm</type><kernel>" + here +
         "/vmlinuz</kernel><initrd>" + here +
         "/initrd</initrd><cmdline>console=ttyS0 quiet vitrine.sleepers=" +
         std::to_string(domain_.sleepers) +
         "</cmdline></os>"
         "<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>"
         "<serial type='unix'><source mode='bind' path='" +
         here + "/serial'/></serial><memballoon model='none'/></devices></domain>";
}

std::vector<std::string> LibvirtSession::as_user(const std::vector<std::string>& command) const {
  std::vector<std::string> whole;
  if (::geteuid() == 0) {
    const std::string nobody = std::to_string(kNobody);
    whole = {"setpriv", "--reuid",        nobody,        "--regid",
             nobody,    "--clear-groups", "--pdeathsig", "KILL"};
  }
  whole.emplace_back("env");
  for (const char* name : {"HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"})
    whole.push_back(std::string(name) + "=" + folder().string());
  whole.insert(whole.end(), command.begin(), command.end());
  return whole;
}

Finished LibvirtSession::virsh(const std::vector<std::string>& arguments) const {
  std::vector<std::string> command{"virsh", "--connect", uri()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run(as_user(command), std::chrono::seconds(60));
}

}  // namespace vitrine::live
