#include "vitrine/techniques/background_snapshot.h"

#include <unistd.h>

#include <charconv>
#include <optional>

#include "vitrine/host/proc_root.h"
#include "vitrine/techniques/arriving_memory.h"
#include "vitrine/techniques/monitor_copy.h"
#include "vitrine/techniques/ram_pages.h"
#include "vitrine/vmm/pause.h"

namespace vitrine::techniques {
namespace {

using base::Code;

// One snapshot while it arrives. What is undone goes last to first; the pipe is drained meanwhile.
struct Snapshot {
  Snapshot(const vmm::RamLayout& layout, RamImage& image) : pages(layout, image), stream(pages) {}

  RamPages pages;
  memory::MigrationStream stream;
  std::unique_ptr<StreamDrain> drain;
  vmm::Change resumed;
  std::optional<Migration> migration;
};

class BackgroundSnapshotAccess final : public Access {
 public:
  using Copy = RamImage;

  BackgroundSnapshotAccess(pid_t pid, vmm::RamLayout layout,
                           std::unique_ptr<vmm::Intervention> intervention,
                           std::unique_ptr<RamImage> image)
      : pid_(pid),
        layout_(std::move(layout)),
        intervention_(std::move(intervention)),
        image_(std::move(image)),
        memory_(*image_, arrivals_, kSilence) {}

  memory::PhysicalMemory& memory() override { return memory_; }
  vmm::Intervention* intervention() override { return intervention_.get(); }
  std::uint64_t stopped_ns() const override { return stopped_ns_; }
  base::Result<void> begin() override;
  base::Result<void> end() override;

 private:
  base::Result<void> start(Snapshot& snapshot);
  base::Result<void> wait_for_the_first_page(Snapshot& snapshot);
  base::Result<void> take(Snapshot& snapshot, std::span<const std::byte> bytes);

  pid_t pid_;
  vmm::RamLayout layout_;
  std::unique_ptr<vmm::Intervention> intervention_;
  std::unique_ptr<RamImage> image_;
  Arrivals arrivals_;
  ArrivingMemory memory_;
  std::unique_ptr<Snapshot> snapshot_;  // while it arrives
  std::uint64_t stopped_ns_ = 0;
};

base::Result<void> can_snapshot(vmm::Qmp& qmp) {
  return Migration::possible(qmp, MigrationKind::background_snapshot);
}

base::Result<void> BackgroundSnapshotAccess::begin() {
  if (auto ended = end(); !ended) return ended;
  stopped_ns_ = 0;
  // Somebody may have paused the VM since the last observation.
  if (auto possible = can_snapshot(intervention_->qmp()); !possible) return possible;
  if (auto begun = image_->begin(); !begun) return begun;
  arrivals_.begin(image_->size() / memory::MigrationStream::kPage);
  auto snapshot = std::make_unique<Snapshot>(layout_, *image_);
  if (auto started = start(*snapshot); !started) return started;
  snapshot_ = std::move(snapshot);
  return {};
}

base::Result<void> BackgroundSnapshotAccess::start(Snapshot& snapshot) {
  const auto size = Migration::most_bytes(intervention_->qmp());
  if (!size) return base::fail(size.error());
  // Spooled, since QEMU must neither wait for us, the guest with it, nor fail when we end.
  auto drain =
      StreamDrain::start_spooled(*size, pid_, [this, &snapshot](std::span<const std::byte> bytes) {
        auto taken = take(snapshot, bytes);
        if (!taken || snapshot.stream.complete() || bytes.empty())
          arrivals_.finish(taken && snapshot.stream.complete());
        return taken;
      });
  if (!drain) return base::fail(drain.error());
  snapshot.drain = std::move(*drain);
  // QEMU stops the guest for a moment and lets it go on, unless it fails in between.
  auto noted = intervention_->note(&vmm::resume);
  if (!noted) return base::fail(noted.error());
  snapshot.resumed = std::move(*noted);
  auto migration = Migration::start(*intervention_, pid_, snapshot.drain->writer(),
                                    MigrationKind::background_snapshot);
  if (!migration) return base::fail(explain(*snapshot.drain, migration.error()));
  snapshot.migration.emplace(std::move(*migration));
  return wait_for_the_first_page(snapshot);
}

// Until then QEMU may fail with the guest stopped.
base::Result<void> BackgroundSnapshotAccess::wait_for_the_first_page(Snapshot& snapshot) {
  const auto deadline = std::chrono::steady_clock::now() + kSilence;
  while (std::chrono::steady_clock::now() < deadline) {
    if (arrivals_.wait_for_any(std::chrono::milliseconds(10))) return snapshot.resumed.undo();
    if (const auto error = snapshot.drain->error()) return base::fail(*error);
    if (const auto state = snapshot.migration->completed(); !state)
      return base::fail(state.error());
  }
  return base::fail(Code::timeout, "QEMU does not begin to send the snapshot");
}

base::Result<void> BackgroundSnapshotAccess::take(Snapshot& snapshot,
                                                  std::span<const std::byte> bytes) {
  if (auto fed = snapshot.stream.feed(bytes); !fed) return fed;
  if (auto flushed = image_->writer().flush(); !flushed) return flushed;
  arrivals_.add(snapshot.pages.take_arrived());
  return {};
}

base::Result<void> BackgroundSnapshotAccess::end() {
  const std::unique_ptr<Snapshot> snapshot = std::move(snapshot_);
  if (snapshot == nullptr) return {};
  if (auto done = await(*snapshot->migration, *snapshot->drain); !done) return done;
  stopped_ns_ = snapshot->migration->downtime_ns();
  if (auto ended = snapshot->migration->end(); !ended) return ended;
  if (!snapshot->stream.complete())
    return base::fail(Code::inconsistent, "QEMU's snapshot ended before the RAM was sent");
  return {};
}

// Whether the host lets the VMM use userfaultfd for faults of the kernel, too
// (Documentation/admin-guide/sysctl/vm.rst, unprivileged_userfaultfd).
base::Result<void> userfaultfd_is_allowed(pid_t pid) {
  const host::ProcRoot proc;
  const auto setting = host::read_file(proc.of("sys/vm/unprivileged_userfaultfd"));
  const auto status = host::read_file(proc.of(pid, "status"));
  constexpr std::string_view kKey = "CapEff:\t";
  constexpr unsigned kSysPtrace = 19;
  if (!setting || !status || !setting->starts_with('0')) return {};
  std::uint64_t capabilities = 0;
  if (const auto at = status->find(kKey); at != std::string::npos)
    std::from_chars(status->data() + at + kKey.size(), status->data() + status->size(),
                    capabilities, 16);
  // Newer versions of QEMU use a device file where they may open it.
  if ((capabilities >> kSysPtrace & 1) != 0 || ::access("/dev/userfaultfd", F_OK) == 0) return {};
  return base::fail(Code::denied, "the host does not let the VMM use userfaultfd",
                    "sysctl vm.unprivileged_userfaultfd=1, or use --technique dump");
}

}  // namespace

const Description& BackgroundSnapshot::description() const {
  static constexpr Description kDescription{
      .id = "background-snapshot",
      .technique_class = "live snapshot",
      .cooperation = "none",
      .snapshot = "point-in-time copy",
      .liveness = "guest is stopped for milliseconds, then runs while it is copied",
      .access = "manager's interface (QMP migrate with background-snapshot)",
      .effect = Effect::intrusive,
      .demands =
          "QEMU 6.0; userfaultfd with write protection for the VMM (Linux 5.7, for shared "
          "RAM 5.19); a QMP socket that nobody else uses; a running VM that can be "
          "migrated; room for twice the RAM in TMPDIR or "
          "/var/tmp",
      .one_instant = true,
      .manager = Manager::always,
      .started_with = "a QMP socket",
  };
  return kDescription;
}

base::Result<void> BackgroundSnapshot::usable(const vmm::Machine& machine,
                                              const vmm::RamLayout& layout) const {
  if (auto allowed = userfaultfd_is_allowed(machine.process.pid); !allowed) return allowed;
  return usable_through_monitor(machine, layout, &can_snapshot);
}

base::Result<std::unique_ptr<Access>> BackgroundSnapshot::open(const vmm::Machine& machine,
                                                               const vmm::RamLayout& layout) const {
  if (auto allowed = userfaultfd_is_allowed(machine.process.pid); !allowed)
    return base::fail(allowed.error());
  return open_copy<BackgroundSnapshotAccess>(machine, layout, &can_snapshot);
}

}  // namespace vitrine::techniques
