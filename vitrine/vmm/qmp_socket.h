// Where a VMM serves QMP, and connecting there within a time limit.
//
// Thread contract: independent calls. Effect on the guest: none; a connection occupies the socket,
// which serves one client at a time, until it is closed.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "vitrine/base/file_descriptor.h"
#include "vitrine/base/result.h"
#include "vitrine/host/proc_root.h"
#include "vitrine/vmm/command_line.h"

namespace vitrine::vmm {

struct QmpEndpoint {
  std::string path;   // as this process can open it; /proc/PID/root/… in another mount namespace
  std::string shown;  // as the VMM knows it
  std::string found;  // the option that says so, for people
};

// The socket of `monitor` of process `pid`: relative to its working directory, within its mount
// namespace, or, where it inherited the socket, by its inode. Nothing where it cannot be found.
std::optional<QmpEndpoint> locate(const MonitorSocket& monitor, pid_t pid,
                                  const host::ProcRoot& proc = {});

// Whether some client is connected to the socket now; false where that cannot be known.
bool has_client(const QmpEndpoint& endpoint, pid_t pid, const host::ProcRoot& proc = {});

// Connects to a Unix socket of any path length. Errors: `absent` where nobody listens, `denied`,
// `timeout` where its queue of waiting clients stays full.
base::Result<base::FileDescriptor> connect(const std::string& path,
                                           std::chrono::milliseconds limit);

}  // namespace vitrine::vmm
