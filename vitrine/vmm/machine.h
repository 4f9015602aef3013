// The VMs on this host, found by looking at its processes.
//
// Thread contract: plain values and independent reads of procfs. No effect on the guests.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/host/process.h"
#include "vitrine/vmm/command_line.h"
#include "vitrine/vmm/qmp.h"
#include "vitrine/vmm/qmp_socket.h"

namespace vitrine::vmm {

struct Machine {
  host::ProcessIdentity process;
  std::string executable;    // symbolic links resolved; empty where the host does not tell
  std::string name;          // -name; empty if it has none
  std::string uuid;          // -uuid; empty if it has none
  std::string accelerator;   // kvm, tcg, …: the first one asked for
  std::uint64_t memory = 0;  // bytes at start, without memory devices
  std::string machine_type;  // e.g. pc-q35-7.2; empty: QEMU's default
  std::optional<QmpEndpoint> qmp;
  CommandLine command_line;
};

// All VMs whose processes can be looked at, by process id. Zombies, and copies of a VMM that a
// snapshot made (a child of the same program with the same arguments), are no VMs.
std::vector<Machine> list(const host::ProcRoot& proc = {});

// The VM that runs as process `pid`. Errors: `gone`, `invalid` where it is no VMM, `denied`.
base::Result<Machine> machine_of(pid_t pid, const host::ProcRoot& proc = {});

// The VM a user means: a process id, a name or a QMP socket's path, tried in that order; "pid:",
// "name:" and "qmp:" before it decide. "libvirt:NAME" and "libvirt:URI/NAME" (as in
// libvirt:qemu:///session/NAME) mean a libvirt daemon's domain. Errors: `absent`, with the names
// there are; `ambiguous`, with the process ids; `invalid` for a process that is no VMM.
base::Result<Machine> find(const std::string& spec, const host::ProcRoot& proc = {});

// Connects to the VM's QMP. Errors: `absent` where it has none, `timeout` where another client
// holds it (at once if that can be seen, so that a busy socket costs no waiting), as Qmp::open.
base::Result<Qmp> open_qmp(const Machine& machine, const QmpLimits& limits = {},
                           const host::ProcRoot& proc = {});

}  // namespace vitrine::vmm
