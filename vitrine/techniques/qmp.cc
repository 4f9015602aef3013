#include "vitrine/techniques/qmp.h"

#include "vitrine/techniques/asked_memory.h"
#include "vitrine/techniques/monitor_memory.h"

namespace vitrine::techniques {
namespace {

// A command costs a few hundred microseconds, as much as what pmemsave fetches of about this size.
constexpr Merging kQmpMerging{.gap = 64 << 10, .piece = MonitorMemory::kLongest};

class MonitorAsker final : public Asker {
 public:
  explicit MonitorAsker(MonitorMemory memory) : memory_(std::move(memory)) {}
  void read(std::span<memory::ReadRequest> pieces) override { memory_.read(pieces); }

 private:
  MonitorMemory memory_;
};

class QmpAccess final : public Access {
 public:
  QmpAccess(std::unique_ptr<vmm::Intervention> intervention, MonitorMemory monitor,
            PopulatedPages pages)
      : intervention_(std::move(intervention)),
        asker_(std::move(monitor)),
        memory_(std::move(pages), asker_, kQmpMerging) {}

  memory::PhysicalMemory& memory() override { return memory_; }
  vmm::Intervention* intervention() override { return intervention_.get(); }

 private:
  std::unique_ptr<vmm::Intervention> intervention_;
  MonitorAsker asker_;
  AskedMemory memory_;
};

}  // namespace

const Description& QmpReads::description() const {
  static constexpr Description kDescription{
      .id = "qmp",
      .technique_class = "live reads through the manager's interface",
      .cooperation = "none",
      .snapshot = "live memory",
      .liveness = "guest keeps running",
      .access = "the manager's interface (QEMU's monitor: xp, pmemsave)",
      .effect = Effect::intrusive,
      .demands = "a QMP socket that no other client holds",
      .searches = false,
      .needs_running_vmm = true,
      .manager = Manager::always,
      .started_with = "a QMP socket",
  };
  return kDescription;
}

base::Result<void> QmpReads::usable(const vmm::Machine& machine,
                                    const vmm::RamLayout& layout) const {
  (void)layout;
  auto pagemap = host::Pagemap::open(machine.process.pid);
  if (!pagemap) return base::fail(pagemap.error());
  auto qmp = vmm::open_qmp(machine);
  if (!qmp) return base::fail(qmp.error());
  return {};
}

base::Result<std::unique_ptr<Access>> QmpReads::open(const vmm::Machine& machine,
                                                     const vmm::RamLayout& layout) const {
  auto pages = PopulatedPages::open(machine.process.pid, layout);
  if (!pages) return base::fail(pages.error());
  auto intervention = vmm::Intervention::begin(machine);
  if (!intervention) return base::fail(intervention.error());
  auto monitor = MonitorMemory::begin(**intervention, machine.process.pid);
  if (!monitor) return base::fail(monitor.error());
  return std::make_unique<QmpAccess>(std::move(*intervention), std::move(*monitor),
                                     std::move(*pages));
}

}  // namespace vitrine::techniques
