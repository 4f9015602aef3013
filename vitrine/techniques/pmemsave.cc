#include "vitrine/techniques/pmemsave.h"

#include <fmt/format.h>

#include "vitrine/techniques/handed_descriptor.h"
#include "vitrine/techniques/monitor_copy.h"
#include "vitrine/techniques/saved_registers.h"
#include "vitrine/vmm/pause.h"
#include "vitrine/vmm/registers.h"

namespace vitrine::techniques {
namespace {

class PmemsaveAccess final : public Access, public SavedRegisters {
 public:
  using Copy = RamImage;

  PmemsaveAccess(pid_t pid, vmm::RamLayout layout, std::unique_ptr<vmm::Intervention> intervention,
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
  base::Result<void> save(const StreamDrain& drain, const std::string& path);

  pid_t pid_;
  vmm::RamLayout layout_;
  std::unique_ptr<vmm::Intervention> intervention_;
  std::unique_ptr<RamImage> image_;
  std::uint64_t stopped_ns_ = 0;
  base::Result<std::vector<memory::X86GeneralRegisters>> registers_;
};

base::Result<void> PmemsaveAccess::begin() {
  stopped_ns_ = 0;
  if (auto begun = image_->begin(); !begun) return begun;
  auto drain = StreamDrain::start(write_in_sequence(image_->writer()));
  if (!drain) return base::fail(drain.error());
  if (auto allowed = allow_reopening((*drain)->writer(), pid_); !allowed) return allowed;
  auto handed = hand_over_named(*intervention_, (*drain)->writer());
  if (!handed) return base::fail(handed.error());
  const auto path = path_in_vmm(pid_, (*drain)->writer());
  if (!path) return base::fail(path.error());
  auto pause = vmm::Pause::begin(*intervention_);
  if (!pause) return base::fail(pause.error());
  // The memory is worth having without them.
  registers_ = vmm::general_registers(intervention_->qmp());
  if (auto saved = save(**drain, *path); !saved) return saved;
  const auto stopped = pause->end();
  if (!stopped) return base::fail(stopped.error());
  stopped_ns_ = *stopped;
  if (auto taken = handed->takeback.undo(); !taken) return taken;
  (*drain)->close_writer();
  return (*drain)->finish(kSilence);
}

// Each command opens the pipe, writes one region and closes it: they follow each other as in the
// image.
base::Result<void> PmemsaveAccess::save(const StreamDrain& drain, const std::string& path) {
  for (const vmm::RamRegion& region : layout_.regions) {
    const std::string arguments = fmt::format(R"({{"val":{},"size":{},"filename":"{}"}})",
                                              region.start.value, region.size, path);
    auto saved = intervention_->qmp().execute("pmemsave", arguments, time_to_write(region.size));
    if (!saved) return base::fail(explain(drain, saved.error()));
  }
  return {};
}

}  // namespace

const Description& Pmemsave::description() const {
  static constexpr Description kDescription{
      .id = "pmemsave",
      .technique_class = "halting snapshot",
      .cooperation = "none",
      .snapshot = "point-in-time copy",
      .liveness = "guest is stopped while it is copied",
      .access = "manager's interface (QMP pmemsave)",
      .effect = Effect::intrusive,
      .demands =
          "a QMP socket that nobody else uses; room for the RAM in TMPDIR or /var/tmp; to be "
          "root or the VMM's own user",
      .one_instant = true,
      .manager = Manager::always,
      .started_with = "a QMP socket",
  };
  return kDescription;
}

base::Result<void> Pmemsave::usable(const vmm::Machine& machine,
                                    const vmm::RamLayout& layout) const {
  return usable_through_monitor(machine, layout, &any_monitor);
}

base::Result<std::unique_ptr<Access>> Pmemsave::open(const vmm::Machine& machine,
                                                     const vmm::RamLayout& layout) const {
  return open_copy<PmemsaveAccess>(machine, layout, &any_monitor);
}

}  // namespace vitrine::techniques
