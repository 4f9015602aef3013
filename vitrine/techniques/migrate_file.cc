#include "vitrine/techniques/migrate_file.h"

#include "vitrine/techniques/monitor_copy.h"
#include "vitrine/techniques/ram_pages.h"
#include "vitrine/techniques/saved_registers.h"
#include "vitrine/vmm/pause.h"
#include "vitrine/vmm/registers.h"

namespace vitrine::techniques {
namespace {

class MigrateFileAccess final : public Access, public SavedRegisters {
 public:
  using Copy = RamImage;

  MigrateFileAccess(pid_t pid, vmm::RamLayout layout,
                    std::unique_ptr<vmm::Intervention> intervention,
                    std::unique_ptr<RamImage> image)
      : pid_(pid),
        layout_(std::move(layout)),
        intervention_(std::move(intervention)),
        image_(std::move(image)) {}

  memory::PhysicalMemory& memory() override { return image_->memory(); }
  vmm::Intervention* intervention() override { return intervention_.get(); }
  std::uint64_t stopped_ns() const override { return stopped_ns_; }
  base::Result<void> begin() override;
  base::Result<std::vector<memory::X86GeneralRegisters>> saved_registers() override {
    return registers_;
  }

 private:
  pid_t pid_;
  vmm::RamLayout layout_;
  std::unique_ptr<vmm::Intervention> intervention_;
  std::unique_ptr<RamImage> image_;
  std::uint64_t stopped_ns_ = 0;
  base::Result<std::vector<memory::X86GeneralRegisters>> registers_;
};

base::Result<void> can_migrate(vmm::Qmp& qmp) {
  return Migration::possible(qmp, MigrationKind::ordinary);
}

base::Result<void> MigrateFileAccess::begin() {
  stopped_ns_ = 0;
  // Somebody may have paused the VM since the last observation.
  if (auto possible = can_migrate(intervention_->qmp()); !possible) return possible;
  if (auto begun = image_->begin(); !begun) return begun;
  RamPages pages(layout_, *image_);
  memory::MigrationStream stream(pages);
  auto drain = StreamDrain::start([&](std::span<const std::byte> bytes) -> base::Result<void> {
    if (auto fed = stream.feed(bytes); !fed) return fed;
    (void)pages.take_arrived();
    return image_->writer().flush();
  });
  if (!drain) return base::fail(drain.error());
  auto pause = vmm::Pause::begin(*intervention_);
  if (!pause) return base::fail(pause.error());
  // The memory is worth having without them.
  registers_ = vmm::general_registers(intervention_->qmp());
  auto migration =
      Migration::start(*intervention_, pid_, (*drain)->writer(), MigrationKind::ordinary);
  if (!migration) return base::fail(explain(**drain, migration.error()));
  (*drain)->close_writer();
  if (auto done = await(*migration, **drain); !done) return done;
  const auto stopped = pause->end();
  if (!stopped) return base::fail(stopped.error());
  stopped_ns_ = *stopped;
  if (auto ended = migration->end(); !ended) return ended;
  if (!stream.complete())
    return base::fail(base::Code::inconsistent, "QEMU's migration ended before the RAM was sent");
  return {};
}

}  // namespace

const Description& MigrateFile::description() const {
  static constexpr Description kDescription{
      .id = "migrate-file",
      .technique_class = "halting snapshot",
      .cooperation = "none",
      .snapshot = "point-in-time copy",
      .liveness = "guest is stopped while it is copied",
      .access = "manager's interface (QMP migrate)",
      .effect = Effect::intrusive,
      .demands =
          "a QMP socket that nobody else uses; a running VM that can be migrated; room for the "
          "RAM in TMPDIR or /var/tmp",
      .one_instant = true,
      .manager = Manager::always,
      .started_with = "a QMP socket",
  };
  return kDescription;
}

base::Result<void> MigrateFile::usable(const vmm::Machine& machine,
                                       const vmm::RamLayout& layout) const {
  return usable_through_monitor(machine, layout, &can_migrate);
}

base::Result<std::unique_ptr<Access>> MigrateFile::open(const vmm::Machine& machine,
                                                        const vmm::RamLayout& layout) const {
  return open_copy<MigrateFileAccess>(machine, layout, &can_migrate);
}

}  // namespace vitrine::techniques
