// A VM as a domain of a libvirt daemon on this host, and its memory read through that daemon.
//
// Thread contract: one thread at a time per object. No call waits without a limit. Effect on the
// guest: as vmm/monitor_memory.h, since the daemon asks QEMU's monitor (pmemsave into a file of its
// own cache folder, removed at once); nothing is left to undo, whatever becomes of this process.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "vitrine/base/result.h"
#include "vitrine/host/proc_root.h"
#include "vitrine/memory/physical_memory.h"
#include "vitrine/vmm/libvirt_daemons.h"

namespace vitrine::vmm {

struct Machine;

class LibvirtDomain {
 public:
  // Bytes that one call fetches at most: below libvirt's own limit, REMOTE_DOMAIN_MEMORY_PEEK_
  // BUFFER_MAX, 4 MiB (src/remote/remote_protocol.x), and short for QEMU's main loop.
  static constexpr std::size_t kLongest = 1 << 20;

  // The domain that `machine` runs. Errors: `absent` where no daemon on this host has it, `denied`,
  // `unsupported` without libvirt's client library, `timeout` where a daemon does not answer.
  static base::Result<LibvirtDomain> of(const Machine& machine, const host::ProcRoot& proc = {});

  // The running domain of that name. Errors: the same, and `ambiguous` where several daemons have
  // one.
  static base::Result<LibvirtDomain> named(const DomainName& name, const host::ProcRoot& proc = {});

  LibvirtDomain(LibvirtDomain&& other) noexcept;
  LibvirtDomain& operator=(LibvirtDomain&& other) noexcept;
  ~LibvirtDomain();

  // The daemon that has it.
  const LibvirtDaemon& daemon() const { return daemon_; }
  const std::string& uuid() const { return uuid_; }
  const std::string& name() const { return name_; }

  // Reads each request wholly or not at all, and sets its status. QEMU reads whatever there is,
  // registers of devices too: ask for RAM only.
  void read(std::span<memory::ReadRequest> requests);

  // Whether its vCPUs run now. Errors: `timeout`, `unreadable`.
  base::Result<bool> running();

  // Has the daemon write an ELF core of the whole memory to `path`, which it opens itself: a pipe's
  // name, say. QEMU stops the guest meanwhile, if it runs, and lets it go on by itself, also where
  // nobody reads the pipe any more. Errors: `timeout` past `limit`; `unreadable` with the daemon's
  // words.
  base::Result<void> core_dump(const std::string& path, std::chrono::milliseconds limit);

 private:
  struct Connection;

  LibvirtDomain();
  static base::Result<std::optional<LibvirtDomain>> at(const LibvirtDaemon& daemon,
                                                       const std::string& uuid,
                                                       const std::string& name);

  std::unique_ptr<Connection> connection_;
  LibvirtDaemon daemon_;
  std::string uuid_;
  std::string name_;
};

}  // namespace vitrine::vmm
