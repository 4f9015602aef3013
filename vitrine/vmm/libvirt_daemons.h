// The libvirt daemons on this host, and the URI by which each is reached.
//
// Thread contract: independent reads of procfs. No effect on any VM, and no daemon is started: a
// plain qemu:///session would start one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vitrine/host/proc_root.h"

namespace vitrine::vmm {

struct LibvirtDaemon {
  std::string uri;     // qemu+unix:///session?socket=…
  std::string driver;  // "qemu:///system" or "qemu:///session", as its users call it

  friend bool operator==(const LibvirtDaemon&, const LibvirtDaemon&) = default;
};

// The daemons that listen on a Unix socket now; virtqemud before libvirtd, which may be its proxy.
std::vector<LibvirtDaemon> libvirt_daemons(const host::ProcRoot& proc = {});

// A domain as a user names it: "NAME" or "URI/NAME".
struct DomainName {
  std::string uri;  // empty: any daemon's
  std::string name;

  static DomainName parse(std::string_view text);
  // Whether the URI means this daemon: by its own URI or by its driver's.
  bool may_be_at(const LibvirtDaemon& daemon) const {
    return uri.empty() || uri == daemon.uri || uri == daemon.driver;
  }
};

}  // namespace vitrine::vmm
