// Who may write into a VM's memory although every thread of its VMM stands still: devices and the
// host kernel on the VMM's behalf, and other processes that map the same memory. While there are
// none, memory whose VMM is frozen is of one instant.
//
// Thread contract: independent reads of procfs. No effect on the guest.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/host/proc_root.h"
#include "vitrine/vmm/machine.h"
#include "vitrine/vmm/ram_layout.h"

namespace vitrine::vmm {

struct KernelWriter {
  enum class Kind : std::uint8_t {
    asynchronous_io,  // of disks (linux-aio, io_uring); comes to rest when the VM is drained
    vhost,
    vfio,
    rdma,
    // Its request is issued twice where the thread that waits for it is interrupted
    // (drivers/scsi/sg.c, SG_IO), as a freeze does.
    pass_through,
    packet_ring,  // AF_XDP, AF_PACKET
  };

  Kind kind;
  std::string words;  // for people, e.g. "vhost (/dev/vhost-net)"
};

// What of the VMM itself can write; the same kind only once. Cost: some 0.3 ms. Errors: as
// host::mappings.
base::Result<std::vector<KernelWriter>> kernel_writers(const Machine& machine,
                                                       const host::ProcRoot& proc = {});

// The first of them that goes on writing when the VM's disks are at rest (vmm/drain.h); null where
// draining is enough.
const KernelWriter* never_at_rest(const std::vector<KernelWriter>& writers);

// Other processes that may write to RAM that is shared with them (vhost-user, e.g. virtiofsd), as
// "process NAME (PID)". Those that we may not look at count as one. Cost: the mappings of every
// process of the host, and none where no RAM is shared.
std::vector<std::string> sharing_writers(const Machine& machine, const RamLayout& layout,
                                         const host::ProcRoot& proc = {});

}  // namespace vitrine::vmm
