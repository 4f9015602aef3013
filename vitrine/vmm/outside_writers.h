// Who may write into a VM's memory although every thread of its VMM stands still: devices and the
// host kernel on the VMM's behalf, and other processes that map the same memory. While there are
// none, memory whose VMM is frozen is of one instant.
//
// Thread contract: independent reads of procfs. No effect on the guest.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/host/proc_root.h"
#include "vitrine/vmm/machine.h"
#include "vitrine/vmm/ram_layout.h"

namespace vitrine::vmm {

// What of the VMM itself can write: vhost, VFIO, asynchronous disk I/O (linux-aio, io_uring),
// RDMA, SCSI pass-through, packet rings (AF_XDP, AF_PACKET). Each as words for people, e.g. "vhost
// (/dev/vhost-net)"; the same kind only once. Cost: some 0.3 ms. Errors: as host::mappings.
base::Result<std::vector<std::string>> kernel_writers(const Machine& machine,
                                                      const host::ProcRoot& proc = {});

// Whether one of them is SCSI pass-through: its request is issued twice where the thread that waits
// for it is interrupted (drivers/scsi/sg.c, SG_IO), as a freeze does.
bool suffers_interruption(std::span<const std::string> kernel_writers);

// Other processes that may write to RAM that is shared with them (vhost-user, e.g. virtiofsd), as
// "process NAME (PID)". Those that we may not look at count as one. Cost: the mappings of every
// process of the host, and none where no RAM is shared.
std::vector<std::string> sharing_writers(const Machine& machine, const RamLayout& layout,
                                         const host::ProcRoot& proc = {});

}  // namespace vitrine::vmm
