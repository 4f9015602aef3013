// Where a VM's RAM is: guest-physical ranges and the VMM's own addresses for them.
//
// Thread contract: plain values; layout_from_monitor uses the Qmp of one thread. Effect on the
// guest: none (QMP queries that take well below a millisecond each in the VMM's main loop).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/base/address.h"
#include "vitrine/base/result.h"
#include "vitrine/host/mappings.h"
#include "vitrine/vmm/machine.h"
#include "vitrine/vmm/qmp.h"

namespace vitrine::vmm {

enum class Backing : std::uint8_t {
  private_anonymous,
  private_file,   // a file mapped copy-on-write: what the guest wrote is not in the file
  shared_memory,  // memfd, /dev/shm or shared anonymous memory
  shared_file,    // a file on disk
  hugetlb,        // of hugetlbfs, shared or not
};

// "private anonymous memory", for people.
std::string_view name(Backing backing);

// One piece of RAM, contiguous in the guest's memory, in the VMM's and in the file behind it.
struct RamRegion {
  base::GuestPhysical start;
  std::uint64_t size = 0;  // bytes
  base::HostVirtual host;
  std::string block;               // QEMU's name of the RAM block, e.g. pc.ram
  std::uint64_t block_offset = 0;  // of `start` within the block, bytes
  Backing backing = Backing::private_anonymous;
  bool shared = false;  // writes of the guest reach the file, so that mapping it shows them
  std::uint32_t dev_major = 0;
  std::uint32_t dev_minor = 0;
  std::uint64_t inode = 0;        // 0 without a file
  std::uint64_t file_offset = 0;  // of `start`, bytes
  std::string path;               // as /proc/PID/maps shows it

  base::GuestPhysical end() const { return start + size; }
  friend bool operator==(const RamRegion&, const RamRegion&) = default;
};

struct RamLayout {
  std::vector<RamRegion> regions;  // sorted by start, disjoint
  std::string source;              // how it was found, for people

  std::uint64_t bytes() const;
};

// The layout as the VMM itself gives it: system RAM and plugged-in memory, but no memory of
// devices (video RAM, ivshmem), no firmware images and no persistent memory. Every piece is checked
// at both ends and against the VMM's mappings. Errors: `inconsistent` where these contradict each
// other, `unsupported` where the monitor speaks otherwise than known; as Qmp and host::mappings.
base::Result<RamLayout> layout_from_monitor(Qmp& qmp, const Machine& machine,
                                            const host::ProcRoot& proc = {});

// Without the monitor: at most 16 layouts that the mappings and the command line allow, the most
// plausible first. None is proved: the caller tries them against what the guest's memory holds.
// Errors: `absent` where no mapping fits; as host::mappings.
base::Result<std::vector<RamLayout>> layout_candidates(const Machine& machine,
                                                       const host::ProcRoot& proc = {});

}  // namespace vitrine::vmm
