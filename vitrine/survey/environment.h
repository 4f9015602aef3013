// What the figures of a survey depend on: the host, its VMM, the guest; and what disturbs them.
//
// Thread contract: independent calls. Effect on the guest: a few queries of its VMM's monitor; that
// of the session that is asked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vitrine/host/proc_root.h"
#include "vitrine/session/session.h"
#include "vitrine/survey/study.h"
#include "vitrine/vmm/machine.h"

namespace vitrine::survey {

// host_kernel, processor_model, processors (that may be used), host_memory_bytes, qemu_version,
// accelerator. What the host or the VMM does not tell is left out.
Facts environment_of(const vmm::Machine& machine, const host::ProcRoot& proc = {});

// The guest as it is now: its tasks are counted. Errors: as views::Processes::attach and observe.
base::Result<Guest> look_at_guest(session::Session& session);

// By which a guest is known again after a reboot: its kernel and where that lies.
std::string boot_identity(const kernel::Kernel& kernel);

// How busy the host is.
struct HostLoad {
  double average = 0;        // processes that run or wait to, over the last minute (/proc/loadavg)
  std::uint64_t ticks = 0;   // of processor time so far, all processors (/proc/stat)
  std::uint64_t stolen = 0;  // of these, by other VMs where the host is a VM itself
};

// Nothing where the host does not tell.
std::optional<HostLoad> host_load(const host::ProcRoot& proc = {});

// The share of processor time that was stolen in between, 0 to 1.
double stolen_share(const HostLoad& before, const HostLoad& after);

// Why the host is too busy for what is measured on it now; empty where it is not.
std::vector<std::string> disturbances(const HostLoad& before, unsigned processors);

// The same afterwards: by the time that was stolen, and by how much the runs of a cell differ.
std::vector<std::string> disturbances(const HostLoad& before, const HostLoad& after,
                                      const Study& study);

}  // namespace vitrine::survey
