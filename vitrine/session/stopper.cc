#include "vitrine/session/stopper.h"

#include <algorithm>
#include <utility>

#include "vitrine/vmm/outside_writers.h"

namespace vitrine::session {

using base::fail;

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
  auto writers = vmm::kernel_writers(machine);
  if (!writers) return fail(writers.error());
  using Kind = vmm::KernelWriter::Kind;
  if (std::ranges::find(*writers, Kind::pass_through, &vmm::KernelWriter::kind) != writers->end())
    return fail(
        base::Code::unsupported,
        "the VMM passes SCSI commands through, and one might be issued twice if it is frozen",
        "use --pause=vmm");
  std::vector<std::string> others = vmm::sharing_writers(machine, layout);
  auto running = freezer_->freeze();
  if (!running) {
    freezer_.reset();
    return fail(running.error());
  }
  writers_ = std::move(others);
  for (vmm::KernelWriter& writer : *writers) writers_.push_back(std::move(writer.words));
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
