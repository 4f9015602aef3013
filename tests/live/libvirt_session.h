// A libvirt session daemon of the test's own, with one domain that boots the tests' guest: folders,
// sockets and cache are temporary, and all ends with the test. libvirt gives root no session, so it
// is nobody's where the test is root.
//
// Thread contract: one thread.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/live/subprocess.h"

namespace vitrine::live {

struct LibvirtDomain {
  std::string name;
  int mebibytes = 512;
  int sleepers = 40;  // processes of the guest that only sleep
};

class LibvirtSession {
 public:
  // Boots the domain; throws std::runtime_error with the daemon's messages if it does not.
  explicit LibvirtSession(LibvirtDomain domain);
  ~LibvirtSession();

  const std::string& domain() const { return domain_.name; }
  // "qemu+unix:///session?socket=…"
  std::string uri() const;
  std::filesystem::path folder() const { return folder_.path(); }
  Subprocess& daemon() { return *daemon_; }
  // `virsh ARGUMENTS…` as the daemon's user.
  Finished virsh(const std::vector<std::string>& arguments) const;
  // A command as the daemon's user runs it.
  std::vector<std::string> as_user(const std::vector<std::string>& command) const;

 private:
  std::string definition() const;
  void lay_out_folder() const;

  LibvirtDomain domain_;
  TemporaryFolder folder_;
  std::unique_ptr<Subprocess> daemon_;
  std::unique_ptr<Subprocess> client_;
};

}  // namespace vitrine::live
