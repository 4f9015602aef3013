#include "vitrine/techniques/gdb.h"

#include <optional>

#include "vitrine/techniques/asked_memory.h"
#include "vitrine/vmm/gdb_stub.h"
#include "vitrine/vmm/pause.h"

namespace vitrine::techniques {
namespace {

// A packet costs some 15 microseconds, and as much as about 2 KB of what it carries.
constexpr Merging kGdbMerging{.gap = 1024, .piece = 2048};

class GdbAccess final : public Access, private Asker {
 public:
  // The guest stands still: `pause` ends with the first observation.
  GdbAccess(std::unique_ptr<vmm::Intervention> intervention, vmm::Pause pause, vmm::GdbStub stub,
            PopulatedPages pages)
      : intervention_(std::move(intervention)),
        stub_(std::move(stub)),
        pause_(std::move(pause)),
        memory_(std::move(pages), *this, kGdbMerging) {}

  // What cannot be undone here is left to the guardian.
  ~GdbAccess() override {
    if (!pause_) (void)begin();
    (void)vmm::GdbStub::close(*std::exchange(stub_, std::nullopt));
    (void)end();
  }

  memory::PhysicalMemory& memory() override { return memory_; }
  vmm::Intervention* intervention() override { return intervention_.get(); }

  base::Result<void> begin() override {
    auto pause = vmm::Pause::begin(*intervention_);
    if (!pause) return base::fail(pause.error());
    pause_ = std::move(*pause);
    return {};
  }

  base::Result<void> end() override {
    if (!pause_) return {};
    const auto stopped = std::exchange(pause_, std::nullopt)->end();
    if (!stopped) return base::fail(stopped.error());
    stopped_ns_ = *stopped;
    return {};
  }

  std::uint64_t stopped_ns() const override { return stopped_ns_; }

 private:
  // Between observations the guest runs, and the stub would take a request for one to stop it, for
  // good: so it is stopped for what is read then.
  void read(std::span<memory::ReadRequest> pieces) override {
    std::optional<vmm::Pause> meanwhile;
    if (!pause_) {
      auto pause = vmm::Pause::begin(*intervention_);
      if (!pause) {
        for (memory::ReadRequest& piece : pieces) piece.status = memory::ReadStatus::failed;
        return;
      }
      meanwhile = std::move(*pause);
    }
    stub_->remote().read(pieces);
  }

  std::unique_ptr<vmm::Intervention> intervention_;
  std::optional<vmm::GdbStub> stub_;
  std::optional<vmm::Pause> pause_;
  AskedMemory memory_;
  std::uint64_t stopped_ns_ = 0;
};

}  // namespace

const Description& Gdb::description() const {
  static constexpr Description kDescription{
      .id = "gdb",
      .technique_class = "live reads through the manager's interface",
      .cooperation = "none",
      .snapshot = "live memory",
      .liveness = "guest stopped while it is observed",
      .access = "the manager's interface (QEMU's debugger stub)",
      .effect = Effect::intrusive,
      .demands = "a QMP socket that no other client holds; QEMU 5.0 or later; no other debugger",
      .one_instant = true,
      .searches = false,
      .manager = Manager::always,
      .started_with = "a QMP socket",
  };
  return kDescription;
}

base::Result<void> Gdb::usable(const vmm::Machine& machine, const vmm::RamLayout& layout) const {
  (void)layout;
  auto pagemap = host::Pagemap::open(machine.process.pid);
  if (!pagemap) return base::fail(pagemap.error());
  auto qmp = vmm::open_qmp(machine);
  if (!qmp) return base::fail(qmp.error());
  auto stub = vmm::existing_stub(*qmp, machine);
  if (!stub) return base::fail(stub.error());
  return {};
}

base::Result<std::unique_ptr<Access>> Gdb::open(const vmm::Machine& machine,
                                                const vmm::RamLayout& layout) const {
  auto pages = PopulatedPages::open(machine.process.pid, layout);
  if (!pages) return base::fail(pages.error());
  auto intervention = vmm::Intervention::begin(machine);
  if (!intervention) return base::fail(intervention.error());
  auto pause = vmm::Pause::begin(**intervention);
  if (!pause) return base::fail(pause.error());
  auto stub = vmm::GdbStub::open(**intervention, machine);
  if (!stub) return base::fail(stub.error());
  return std::make_unique<GdbAccess>(std::move(*intervention), std::move(*pause), std::move(*stub),
                                     std::move(*pages));
}

}  // namespace vitrine::techniques
