// layout_candidates(): the RAM layouts that a VMM's mappings and command line allow.
#include <fmt/format.h>

#include "vitrine/vmm/backing.h"
#include "vitrine/vmm/physical_placement.h"
#include "vitrine/vmm/ram_block.h"
#include "vitrine/vmm/ram_layout.h"

namespace vitrine::vmm {

base::Result<std::vector<RamLayout>> layout_candidates(const Machine& machine,
                                                       const host::ProcRoot& proc) {
  constexpr std::size_t kMaximumCandidates = 16;
  const auto mappings = host::mappings(machine.process.pid, proc);
  if (!mappings) return base::fail(mappings.error());
  const auto blocks = ram_blocks(machine.command_line);
  const auto physical = physical_placements(machine.command_line);
  std::vector<RamLayout> candidates;
  for (const HostPlacement& host : host_placements(machine.command_line, blocks, *mappings)) {
    for (const PhysicalPlacement& placement : physical) {
      if (candidates.size() >= kMaximumCandidates) return candidates;
      auto regions =
          with_backing(place(blocks, host, placement), *mappings, machine.process.pid, proc);
      if (!regions) continue;
      candidates.push_back({std::move(*regions), fmt::format("mappings and command line ({}, {})",
                                                             host.reason, placement.reason)});
    }
  }
  if (!candidates.empty()) return candidates;
  return base::fail(base::Code::absent,
                    fmt::format("no mapping of process {} fits the VM's RAM of {} MiB",
                                machine.process.pid, machine.memory >> 20),
                    "give the VM a QMP socket that nobody else holds");
}

}  // namespace vitrine::vmm
