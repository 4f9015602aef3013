#include "vitrine/techniques/monitor_copy.h"

#include <thread>

#include "vitrine/vmm/machine.h"

namespace vitrine::techniques {

std::chrono::milliseconds time_to_write(std::uint64_t bytes) {
  constexpr std::uint64_t kSlowest = 10'000;  // bytes per millisecond
  return std::chrono::minutes(1) + std::chrono::milliseconds(bytes / kSlowest);
}

StreamDrain::Consumer write_in_sequence(SparseWriter& writer) {
  return [&writer,
          at = std::uint64_t{0}](std::span<const std::byte> bytes) mutable -> base::Result<void> {
    if (auto written = writer.write(at, bytes); !written) return written;
    at += bytes.size();
    return writer.flush();
  };
}

base::Error explain(const StreamDrain& drain, base::Error of_vmm) {
  auto ours = drain.error();
  return ours ? std::move(*ours) : std::move(of_vmm);
}

base::Result<void> await(Migration& migration, StreamDrain& drain) {
  std::uint64_t before = drain.bytes();
  auto since = std::chrono::steady_clock::now();
  while (true) {
    const auto completed = migration.completed();
    if (!completed) return base::fail(explain(drain, completed.error()));
    if (*completed) {
      drain.close_writer();
      return drain.finish(kSilence);
    }
    // A spool is written to its end all the same.
    if (const auto error = drain.error(); error && !drain.is_spool()) return base::fail(*error);
    if (const std::uint64_t now = drain.bytes(); now != before) {
      before = now;
      since = std::chrono::steady_clock::now();
    }
    if (std::chrono::steady_clock::now() - since > kSilence)
      return base::fail(base::Code::timeout, "the VMM stopped sending the memory image");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

base::Result<void> any_monitor(vmm::Qmp& /*qmp*/) { return {}; }

base::Result<void> usable_through_monitor(const vmm::Machine& machine, const vmm::RamLayout& layout,
                                          MonitorCheck check) {
  auto qmp = vmm::open_qmp(machine);
  if (!qmp) return base::fail(qmp.error());
  if (auto allowed = check(*qmp); !allowed) return allowed;
  return can_be_copied(machine, layout);
}

base::Result<std::unique_ptr<vmm::Intervention>> intervene(const vmm::Machine& machine,
                                                           const vmm::RamLayout& layout,
                                                           MonitorCheck check) {
  auto intervention = vmm::Intervention::begin(machine);
  if (!intervention) return intervention;
  if (auto allowed = check((*intervention)->qmp()); !allowed) return base::fail(allowed.error());
  if (auto room = can_be_copied(machine, layout); !room) return base::fail(room.error());
  return intervention;
}

}  // namespace vitrine::techniques
