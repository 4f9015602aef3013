#include "vitrine/techniques/fork.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "vitrine/host/copy_preconditions.h"
#include "vitrine/host/process_copy.h"
#include "vitrine/host/remote_errand.h"
#include "vitrine/techniques/copy_holder.h"
#include "vitrine/techniques/frame_changes.h"
#include "vitrine/techniques/proc_mem.h"
#include "vitrine/techniques/region_access.h"
#include "vitrine/vmm/drain.h"
#include "vitrine/vmm/outside_writers.h"

namespace vitrine::techniques {
namespace {

using base::Code;
using base::fail;

// The memory of the copy that was taken last.
class LatestCopy final : public memory::PhysicalMemory {
 public:
  explicit LatestCopy(vmm::RamLayout layout) : layout_(std::move(layout)) {}

  // Not by process_vm_readv, which would have the host copy every page that it reads
  // (host::merged_pages).
  base::Result<void> look_at(pid_t copy) {
    auto reader = host::ProcMemReader::open(copy);
    if (!reader) return fail(reader.error());
    auto pages = PopulatedPages::open(copy, layout_);
    if (!pages) return fail(pages.error());
    memory_.emplace(std::move(*pages), std::make_unique<ProcMemPieces>(std::move(*reader)));
    return {};
  }

  void read(std::span<memory::ReadRequest> requests) override { memory_->read(requests); }
  std::span<const memory::Range> ram() const override { return memory_->ram(); }
  std::vector<memory::Range> populated(memory::Range within) override {
    return memory_->populated(within);
  }

 private:
  vmm::RamLayout layout_;
  std::optional<RegionMemory> memory_;
};

base::Error fork_refused(const std::string& why) {
  return {Code::unsupported, "the VMM can't be forked: " + why,
          "use --technique background-snapshot or dump"};
}

// Whether the VM's disks have to be brought to rest first, through its monitor: a page that is
// being read into while it is shared may lose what is read. Error: where somebody writes who does
// not come to rest.
base::Result<bool> needs_drain(const vmm::Machine& machine) {
  const auto writers = vmm::kernel_writers(machine);
  if (!writers) return fail(writers.error());
  if (const vmm::KernelWriter* writer = vmm::never_at_rest(*writers))
    return fail(fork_refused("it uses " + writer->words + ", which may write to memory meanwhile"));
  return !writers->empty();
}

base::Error cannot_drain(const base::Error& cause) {
  base::Error error =
      fork_refused("it uses asynchronous disk I/O, which has to be brought to rest before, and " +
                   cause.message);
  if (!cause.remedy.empty()) error.remedy = cause.remedy;
  return error;
}

std::vector<host::HostRange> ranges_of(const vmm::RamLayout& layout) {
  std::vector<host::HostRange> ranges;
  for (const vmm::RamRegion& region : layout.regions) ranges.push_back({region.host, region.size});
  return ranges;
}

class ForkAccess final : public Access, public CopyHolder {
 public:
  ForkAccess(vmm::Machine machine, const vmm::RamLayout& layout)
      : machine_(std::move(machine)), layout_(layout), memory_(layout) {
    ranges_ = ranges_of(layout);
  }

  memory::PhysicalMemory& memory() override { return memory_; }
  std::uint64_t stopped_ns() const override { return stopped_ns_; }
  std::uint64_t drained_ns() const override { return drained_ns_; }

  vmm::Intervention* intervention() override { return intervention_.get(); }

  base::Result<void> begin() override {
    stopped_ns_ = drained_ns_ = 0;
    // Each time: devices may be plugged in.
    const auto drains = needs_drain(machine_);
    if (!drains) return fail(drains.error());
    if (!copy_) {
      auto started = host::ProcessCopy::start(machine_.process);
      if (!started) return fail(started.error());
      copy_ = std::move(*started);
    }
    return *drains ? take_drained() : take();
  }

  // What was read counts only if the copy was there to the end.
  base::Result<void> end() override {
    if (!copy_) return fail(Code::gone, "there is no copy of the VM");
    return copy_->check();
  }

  // What the guest writes while there is a copy has to be copied.
  base::Result<void> rest() override {
    auto dropped = copy_ ? copy_->drop() : base::Result<void>();
    if (!dropped) copy_.reset();
    return dropped;
  }

  base::Result<void> hold(const std::filesystem::path& path, std::chrono::seconds time) override {
    if (!copy_) return fail(Code::absent, "there is no copy of the VM");
    return copy_->hold(path, time);
  }

  base::Result<std::unique_ptr<memory::PageChanges>> changes_since(
      const std::filesystem::path& path) override {
    auto earlier = host::HeldCopy::find(path);
    if (!earlier) return fail(earlier.error());
    if (earlier->process() != machine_.process || !std::ranges::equal(earlier->ranges(), ranges_))
      return fail(Code::inconsistent, "the copy that is held is of another VM, or of other RAM");
    auto frames = host::FrameComparison::open(earlier->pid(), copy_pid_);
    if (!frames) return fail(frames.error());
    return std::make_unique<FrameChanges>(layout_, std::move(*earlier), std::move(*frames));
  }

 private:
  base::Result<void> take() {
    auto taken = copy_->take(ranges_);
    if (!taken) {
      copy_.reset();
      return fail(taken.error());
    }
    stopped_ns_ = taken->stopped_ns;
    copy_pid_ = taken->pid;
    return memory_.look_at(taken->pid);
  }

  base::Result<void> take_drained() {
    if (!intervention_) {
      auto begun = vmm::Intervention::begin(machine_);
      if (!begun) return fail(cannot_drain(begun.error()));
      intervention_ = std::move(*begun);
    }
    auto drain = vmm::Drain::begin(*intervention_);
    if (!drain) return fail(cannot_drain(drain.error()));
    if (auto taken = take(); !taken) return taken;
    const auto stopped = drain->end();
    if (!stopped) return fail(stopped.error());
    // A VM that was paused before was not stopped for long by this.
    stopped_ns_ = std::max(stopped_ns_, *stopped);
    drained_ns_ = drain->took_ns();
    return {};
  }

  vmm::Machine machine_;
  vmm::RamLayout layout_;
  std::optional<host::ProcessCopy> copy_;
  pid_t copy_pid_ = 0;
  LatestCopy memory_;
  std::vector<host::HostRange> ranges_;
  std::unique_ptr<vmm::Intervention> intervention_;  // null: the disks had not to be drained yet
  std::uint64_t stopped_ns_ = 0;
  std::uint64_t drained_ns_ = 0;
};

}  // namespace

const Description& Fork::description() const {
  static constexpr Description kDescription{
      .id = "fork",
      .technique_class = "live snapshot",
      .cooperation = "none",
      .snapshot = "point-in-time copy",
      .liveness = "guest is stopped for milliseconds, then runs while the copy is read",
      .access = "reads on a process (a copy-on-write copy of the VMM)",
      .effect = Effect::intrusive,
      .demands =
          "CAP_SYS_PTRACE and CAP_DAC_OVERRIDE, or the VMM's own user where ptrace is not "
          "restricted; RAM that is neither shared nor of reserved huge pages; no vhost, VFIO, "
          "RDMA, SCSI pass-through or packet rings; with asynchronous disk I/O: a QMP socket that "
          "nobody else uses; where the VMM has a seccomp filter: CAP_SYS_ADMIN",
      .one_instant = true,
      .manager = Manager::sometimes,
  };
  return kDescription;
}

base::Result<void> Fork::usable(const vmm::Machine& machine, const vmm::RamLayout& layout) const {
  if (auto readable = ProcMem().usable(machine, layout); !readable) return readable;
  for (const vmm::RamRegion& region : layout.regions) {
    if (region.shared)
      return fail(fork_refused("its RAM is shared, so that a copy would not keep it"));
    if (region.backing == vmm::Backing::hugetlb)
      return fail(fork_refused("its RAM is made of reserved huge pages"));
  }
  if (auto copied = host::can_be_copied(machine.process, ranges_of(layout)); !copied) return copied;
  const auto drains = needs_drain(machine);
  if (!drains) return fail(drains.error());
  if (!*drains) return {};
  const auto qmp = vmm::open_qmp(machine);
  return qmp ? base::Result<void>() : fail(cannot_drain(qmp.error()));
}

std::vector<std::string> Fork::steps(const vmm::Machine& machine,
                                     const vmm::RamLayout& layout) const {
  const auto writers = vmm::kernel_writers(machine);
  const bool drains = writers && !writers->empty();
  std::uint64_t bytes = 0;
  for (const vmm::RamRegion& region : layout.regions) bytes += region.size;
  std::vector<std::string> steps;
  if (drains)
    steps.push_back("the monitor stops the VM, so that its disks come to rest: it uses " +
                    writers->front().words);
  steps.push_back(
      fmt::format("its {} threads are stopped (ptrace), for 1 s at most, by a process of its own "
                  "that lets them "
                  "go on whatever happens to this one",
                  host::threads(machine.process.pid).size()));
  steps.push_back(fmt::format(
      "one of them marks its {} MiB of RAM as to be copied (MADV_DOFORK), clones the process, and "
      "sets the marks back{}",
      (bytes + (1 << 19)) >> 20,
      host::under_seccomp(machine.process.pid) ? "; its seccomp filter is suspended for that"
                                               : ""));
  steps.emplace_back(drains ? "the threads go on, and the monitor lets the VM go on"
                            : "the threads go on");
  steps.emplace_back(
      "the copy, which never runs and holds no descriptor, is read; meanwhile the guest's first "
      "write to each page copies it");
  steps.emplace_back(
      "the copy is ended afterwards, or when it has cost half of this host's free memory");
  return steps;
}

base::Result<std::unique_ptr<Access>> Fork::open(const vmm::Machine& machine,
                                                 const vmm::RamLayout& layout) const {
  if (auto allowed = usable(machine, layout); !allowed) return fail(allowed.error());
  auto access = std::make_unique<ForkAccess>(machine, layout);
  if (auto begun = access->begin(); !begun) return fail(begun.error());
  return access;
}

}  // namespace vitrine::techniques
