#include "vitrine/techniques/dump.h"

#include <fmt/format.h>

#include <chrono>

#include "vitrine/techniques/core_copy.h"
#include "vitrine/techniques/handed_descriptor.h"
#include "vitrine/techniques/monitor_copy.h"
#include "vitrine/vmm/pause.h"
#include "vitrine/vmm/registers.h"

namespace vitrine::techniques {
namespace {

using Clock = std::chrono::steady_clock;

class DumpAccess final : public Access, public SavedRegisters {
 public:
  using Copy = CoreCopy;

  DumpAccess(pid_t /*pid*/, const vmm::RamLayout& layout,
             std::unique_ptr<vmm::Intervention> intervention, std::unique_ptr<CoreCopy> copy)
      : ram_bytes_(layout.bytes()),
        intervention_(std::move(intervention)),
        copy_(std::move(copy)) {}

  memory::PhysicalMemory& memory() override { return copy_->memory(); }
  vmm::Intervention* intervention() override { return intervention_.get(); }
  std::uint64_t stopped_ns() const override { return stopped_ns_; }
  base::Result<std::vector<memory::X86GeneralRegisters>> saved_registers() override {
    return copy_->saved_registers();
  }

  base::Result<void> begin() override {
    stopped_ns_ = 0;
    if (auto written = write(); !written) return written;
    return copy_->show();
  }

 private:
  base::Result<void> write();

  std::uint64_t ram_bytes_;
  std::unique_ptr<vmm::Intervention> intervention_;
  std::unique_ptr<CoreCopy> copy_;
  std::uint64_t stopped_ns_ = 0;
};

base::Result<void> DumpAccess::write() {
  auto drain = copy_->begin();
  if (!drain) return base::fail(drain.error());
  vmm::Qmp& qmp = intervention_->qmp();
  const auto state = vmm::run_state(qmp);
  if (!state) return base::fail(state.error());
  // QEMU lets the guest go on by itself; this is for a QEMU that fails to.
  vmm::Change resumed;
  if (state->running) {
    auto noted = intervention_->note(&vmm::resume);
    if (!noted) return base::fail(noted.error());
    resumed = std::move(*noted);
  }
  auto handed = hand_over_named(*intervention_, (*drain)->writer());
  if (!handed) return base::fail(handed.error());
  (*drain)->close_writer();
  const Clock::time_point stopped = Clock::now();
  auto dumped = qmp.execute("dump-guest-memory",
                            fmt::format(R"({{"paging":false,"protocol":"{}"}})", handed->uri),
                            time_to_write(ram_bytes_));
  if (!dumped) return base::fail(explain(**drain, dumped.error()));
  if (auto done = resumed.undo(); !done) return done;
  if (state->running)
    stopped_ns_ = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - stopped).count());
  if (auto taken = handed->takeback.undo(); !taken) return taken;
  return (*drain)->finish(kSilence);
}

}  // namespace

const Description& Dump::description() const {
  static constexpr Description kDescription{
      .id = "dump",
      .technique_class = "halting snapshot",
      .cooperation = "none",
      .snapshot = "point-in-time copy",
      .liveness = "guest is stopped while it is copied",
      .access = "manager's interface (QMP dump-guest-memory)",
      .effect = Effect::intrusive,
      .demands =
          "a QMP socket that nobody else uses; room for the RAM in TMPDIR or /var/tmp; a 64-bit "
          "guest that has booted",
      .one_instant = true,
      .manager = Manager::always,
      .started_with = "a QMP socket",
  };
  return kDescription;
}

base::Result<void> Dump::usable(const vmm::Machine& machine, const vmm::RamLayout& layout) const {
  return usable_through_monitor(machine, layout, &any_monitor);
}

base::Result<std::unique_ptr<Access>> Dump::open(const vmm::Machine& machine,
                                                 const vmm::RamLayout& layout) const {
  return open_copy<DumpAccess>(machine, layout, &any_monitor);
}

}  // namespace vitrine::techniques
