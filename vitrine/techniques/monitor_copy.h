// What the techniques have in common that let QEMU send a copy of the RAM through a pipe.
//
// Thread contract: one thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "vitrine/base/result.h"
#include "vitrine/techniques/migration.h"
#include "vitrine/techniques/ram_image.h"
#include "vitrine/techniques/stream_drain.h"
#include "vitrine/techniques/technique.h"
#include "vitrine/vmm/intervention.h"

namespace vitrine::techniques {

// How long a VMM may send nothing before it is given up.
inline constexpr std::chrono::seconds kSilence{30};

// How long a command may take that writes `bytes`, with a disk that is slow and busy.
std::chrono::milliseconds time_to_write(std::uint64_t bytes);

// A consumer that writes what comes one behind the other, from the beginning.
StreamDrain::Consumer write_in_sequence(SparseWriter& writer);

// The error that explains `of_vmm`: where our end of the pipe failed, the VMM only noticed that.
base::Error explain(const StreamDrain& drain, base::Error of_vmm);

// Waits until the migration has completed and all that it sent was taken.
base::Result<void> await(Migration& migration, StreamDrain& drain);

// The checks of usable(): the monitor answers, `check` of it, and there is room for a copy.
using MonitorCheck = base::Result<void> (*)(vmm::Qmp& qmp);
base::Result<void> any_monitor(vmm::Qmp& qmp);  // demands nothing of it
base::Result<void> usable_through_monitor(const vmm::Machine& machine, const vmm::RamLayout& layout,
                                          MonitorCheck check);
// The same over a connection that stays.
base::Result<std::unique_ptr<vmm::Intervention>> intervene(const vmm::Machine& machine,
                                                           const vmm::RamLayout& layout,
                                                           MonitorCheck check);

// Opens such a technique: a CopyAccess made of the VM's process id, the layout, the connection and
// a new CopyAccess::Copy takes its first copy.
template <class CopyAccess>
base::Result<std::unique_ptr<Access>> open_copy(const vmm::Machine& machine,
                                                const vmm::RamLayout& layout, MonitorCheck check) {
  auto intervention = intervene(machine, layout, check);
  if (!intervention) return base::fail(intervention.error());
  auto copy = CopyAccess::Copy::create(layout);
  if (!copy) return base::fail(copy.error());
  auto access = std::make_unique<CopyAccess>(machine.process.pid, layout, std::move(*intervention),
                                             std::move(*copy));
  if (auto begun = access->begin(); !begun) return base::fail(begun.error());
  return access;
}

}  // namespace vitrine::techniques
