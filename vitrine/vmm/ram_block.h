// The RAM blocks a VM's command line implies, and which of the VMM's mappings may be each of them.
//
// Thread contract: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "vitrine/base/address.h"
#include "vitrine/host/mappings.h"
#include "vitrine/host/process.h"
#include "vitrine/vmm/command_line.h"
#include "vitrine/vmm/physical_placement.h"
#include "vitrine/vmm/ram_layout.h"

namespace vitrine::vmm {

enum class BlockUse : std::uint8_t {
  machine,  // part of the machine's RAM
  plugged,  // a DIMM
  not_ram,  // of a device: it takes a mapping that then is not RAM
};

struct RamBlock {
  std::string name;
  BlockUse use = BlockUse::machine;
  BackendKind kind = BackendKind::ram;
  std::uint64_t size = 0;  // bytes
  bool shared = false;
  std::string path;                            // of a file backend
  std::optional<base::GuestPhysical> address;  // of a DIMM, where the command line fixes it
  std::size_t node = 0;                        // NUMA nodes follow each other in the guest's memory
};

// In the order in which QEMU allocates them: backends as given, then the machine's default RAM.
std::vector<RamBlock> ram_blocks(const CommandLine& command_line);

// Neighbouring mappings of one kind, which the host may have merged or split.
struct MappedRun {
  base::HostVirtual start;
  std::uint64_t size = 0;  // bytes
  bool shared = false;
  bool anonymous = true;
  std::string path;  // without " (deleted)"
};

// The runs that could hold RAM: readable and writable, not executable, neither heap nor stack.
std::vector<MappedRun> mapped_runs(std::span<const host::Mapping> mappings);

// Where each block may be in the VMM; nothing for a block of a device that was not found.
struct HostPlacement {
  std::vector<std::optional<base::HostVirtual>> starts;  // one per block
  std::vector<MappedRun> unclaimed;  // anonymous runs that look like hot-plugged DIMMs
  std::string reason;                // for people
};

// The plausible placements, best first, at most 16: a mapping of the right kind and size is better
// than one that is larger, and of equals QEMU's order of allocation decides, since the host hands
// out addresses downwards.
std::vector<HostPlacement> host_placements(const CommandLine& command_line,
                                           const std::vector<RamBlock>& blocks,
                                           std::span<const host::Mapping> mappings);

// The regions that result, backing not filled in. `unclaimed` runs become DIMMs, in this order.
std::vector<RamRegion> place(const std::vector<RamBlock>& blocks, const HostPlacement& host,
                             const PhysicalPlacement& physical);

}  // namespace vitrine::vmm
