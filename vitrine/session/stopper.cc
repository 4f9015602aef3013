#include "vitrine/session/stopper.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "vitrine/host/thread_stop.h"
#include "vitrine/vmm/outside_writers.h"
#include "vitrine/vmm/qmp.h"

namespace vitrine::session {

using base::fail;

namespace {

// Who may write though the VMM is frozen. Error: `unsupported` where a freeze would do harm.
base::Result<std::vector<std::string>> outside_writers(const vmm::Machine& machine,
                                                       const vmm::RamLayout& layout) {
  auto writers = vmm::kernel_writers(machine);
  if (!writers) return fail(writers.error());
  using Kind = vmm::KernelWriter::Kind;
  if (std::ranges::find(*writers, Kind::pass_through, &vmm::KernelWriter::kind) != writers->end())
    return fail(
        base::Code::unsupported,
        "the VMM passes SCSI commands through, and one might be issued twice if it is frozen",
        "use --pause=vmm");
  std::vector<std::string> all = vmm::sharing_writers(machine, layout);
  for (vmm::KernelWriter& writer : *writers) all.push_back(std::move(writer.words));
  return all;
}

}  // namespace

Stopper::Plan Stopper::plan(Pausing how, const vmm::Machine& machine,
                            const vmm::RamLayout& layout) {
  if (how == Pausing::none) return {};
  if (how == Pausing::vmm) {
    const auto qmp = vmm::open_qmp(machine);
    return {
        {"the monitor stops the VM, and drains and flushes its disks",
         "the monitor lets the VM go on, unless it was paused before; a process of its own does "
         "if this one is killed"},
        {},
        qmp ? std::nullopt : std::optional(qmp.error())};
  }
  Plan plan;
  plan.steps = {
      fmt::format("the VMM's {} threads are stopped (ptrace), for 1 s at most, by a process "
                  "of its own that lets them go on whatever happens to this one",
                  host::threads(machine.process.pid).size()),
      "they go on after each observation, and after 10 s by themselves"};
  auto writers = outside_writers(machine, layout);
  if (!writers) plan.refused = writers.error();
  if (writers) plan.doubts = std::move(*writers);
  if (const auto stoppable = host::can_be_stopped(machine.process); !stoppable)
    plan.refused = stoppable.error();
  return plan;
}

base::Result<void> Stopper::stop(const vmm::Machine& machine, const vmm::RamLayout& layout,
                                 vmm::Intervention* of_access) {
  if (how_ == Pausing::none) return {};
  auto done = how_ == Pausing::vmm ? pause(machine, of_access) : freeze(machine, layout);
  stopped_ = done.has_value();
  return done;
}

base::Result<void> Stopper::pause(const vmm::Machine& machine, vmm::Intervention* of_access) {
  if (of_access == nullptr && intervention_ == nullptr) {
    auto begun = vmm::Intervention::begin(machine);
    if (!begun) return fail(begun.error());
    intervention_ = std::move(*begun);
  }
  auto paused = vmm::Pause::begin(of_access != nullptr ? *of_access : *intervention_);
  if (!paused) return fail(paused.error());
  drained_ns_ = paused->stopping_ns();
  pause_ = std::move(*paused);
  return {};
}

base::Result<void> Stopper::freeze(const vmm::Machine& machine, const vmm::RamLayout& layout) {
  if (!freezer_) {
    auto started = host::Freezer::start(machine.process);
    if (!started) return fail(started.error());
    freezer_ = std::move(*started);
  }
  // Each time, since devices may be plugged in; and before the guest has to wait for it.
  auto writers = outside_writers(machine, layout);
  if (!writers) return fail(writers.error());
  auto running = freezer_->freeze();
  if (!running) {
    freezer_.reset();
    return fail(running.error());
  }
  writers_ = std::move(*writers);
  for (const std::string& thread : *running)
    writers_.push_back("the host kernel's thread " + thread);
  return {};
}

base::Result<std::uint64_t> Stopper::release() {
  if (!std::exchange(stopped_, false)) return 0;
  if (how_ == Pausing::vmm) return std::exchange(pause_, std::nullopt)->end();
  auto thawed = freezer_->thaw();
  if (!thawed) freezer_.reset();
  return thawed;
}

void Stopper::reset() {
  pause_.reset();
  intervention_.reset();
  freezer_.reset();
}

}  // namespace vitrine::session
