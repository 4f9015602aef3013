#include "vitrine/techniques/adoption.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "vitrine/host/copy_preconditions.h"
#include "vitrine/host/memory_replacement.h"
#include "vitrine/host/process_copy.h"
#include "vitrine/host/replaceable_memory.h"
#include "vitrine/techniques/migration.h"
#include "vitrine/vmm/backing.h"
#include "vitrine/vmm/drain.h"
#include "vitrine/vmm/intervention.h"
#include "vitrine/vmm/outside_writers.h"

namespace vitrine::techniques {
namespace {

using base::Code;
using base::fail;

// The guest is stopped for the last of them: 8 MiB take some 4 ms.
constexpr std::uint64_t kFewPages = 2048;
// A guest that writes faster than its memory is copied is stopped for longer.
constexpr int kMostRounds = 5;

base::Error refused(const std::string& why) {
  return {Code::unsupported, "the VM's RAM can't be adopted: " + why,
          "use --technique process-vm, or start the VM with shared RAM"};
}

// What is mapped at once: the regions of a block and what lies between them, which is of the block,
// too, though it is not RAM to the guest.
std::vector<host::HostRange> block_ranges(const vmm::RamLayout& layout) {
  struct Part {
    std::string block;
    host::HostRange range;
  };
  std::vector<Part> parts;
  for (const vmm::RamRegion& region : layout.regions) {
    const auto same = std::ranges::find(parts, region.block, &Part::block);
    if (same == parts.end()) {
      parts.push_back({region.block, {region.host, region.size}});
      continue;
    }
    const base::HostVirtual start = std::min(same->range.start, region.host);
    const base::HostVirtual end = std::max(same->range.end(), region.host + region.size);
    same->range = {start, end - start};
  }
  std::vector<host::HostRange> ranges;
  for (const Part& part : parts) ranges.push_back(part.range);
  return ranges;
}

// One VM's way from one memory to the other.
class Adoption {
 public:
  Adoption(const vmm::Machine& machine, const vmm::RamLayout& layout)
      : machine_(machine), layout_(layout), ranges_(block_ranges(layout)) {}

  base::Result<Adopted> run() {
    if (auto prepared = prepare(); !prepared) return fail(prepared.error());
    for (int round = 0; round < kMostRounds; ++round) {
      if (auto copied = copy(); !copied) return fail(copied.error());
      const auto left = replacement_->changed_since(copied_);
      if (!left) return fail(left.error());
      if (*left <= kFewPages) break;
    }
    if (auto replaced = replace(); !replaced) return fail(replaced.error());
    const auto mappings = host::mappings(machine_.process.pid);
    if (!mappings) return fail(mappings.error());
    auto regions = vmm::with_backing(layout_.regions, *mappings, machine_.process.pid);
    if (!regions) return fail(regions.error());
    return Adopted{{std::move(*regions), layout_.source}, stopped_ns_, drained_ns_};
  }

 private:
  base::Result<void> prepare() {
    auto begun = vmm::Intervention::begin(machine_);
    if (!begun) return fail(begun.error());
    intervention_ = std::move(*begun);
    if (auto none = no_migration_under_way(intervention_->qmp()); !none) return none;
    const auto told = vmm::layout_from_monitor(intervention_->qmp(), machine_);
    if (!told) return fail(told.error());
    if (told->regions != layout_.regions)
      return fail(refused("its monitor tells of other RAM than was found"));
    auto replacement = host::MemoryReplacement::start(machine_.process, ranges_);
    if (!replacement) return fail(replacement.error());
    replacement_.emplace(std::move(*replacement));
    return {};
  }

  // With the disks at rest. Devices may have been plugged in meanwhile.
  template <class Work>
  base::Result<void> drained(const Work& work) {
    const auto writers = vmm::kernel_writers(machine_);
    if (!writers) return fail(writers.error());
    if (const vmm::KernelWriter* writer = vmm::never_at_rest(*writers))
      return fail(refused("it uses " + writer->words));
    auto drain = vmm::Drain::begin(*intervention_);
    if (!drain) return fail(drain.error());
    const base::Result<std::uint64_t> worked = work();
    const auto stopped = drain->end();
    if (!worked) return fail(worked.error());
    if (!stopped) return fail(stopped.error());
    stopped_ns_ += std::max(*stopped, *worked);
    drained_ns_ += drain->took_ns();
    return {};
  }

  // Fills the files from a copy of now; the one before is kept until that is done.
  base::Result<void> copy() {
    auto started = host::ProcessCopy::start(machine_.process);
    if (!started) return fail(started.error());
    pid_t pid = 0;
    auto taken = drained([&]() -> base::Result<std::uint64_t> {
      const auto now = started->take(ranges_);
      if (!now) return fail(now.error());
      pid = now->pid;
      return now->stopped_ns;
    });
    if (!taken) return taken;
    if (auto filled = replacement_->fill(pid, copied_); !filled) return fail(filled.error());
    if (auto there = started->check(); !there) return there;
    copy_.emplace(std::move(*started));
    copied_ = pid;
    return {};
  }

  base::Result<void> replace() {
    return drained([&]() -> base::Result<std::uint64_t> {
      if (auto there = copy_->check(); !there) return fail(there.error());
      const auto replaced = replacement_->replace(copied_);
      if (!replaced) return fail(replaced.error());
      return replaced->stopped_ns;
    });
  }

  const vmm::Machine& machine_;
  const vmm::RamLayout& layout_;
  std::vector<host::HostRange> ranges_;
  std::unique_ptr<vmm::Intervention> intervention_;
  std::optional<host::MemoryReplacement> replacement_;
  std::optional<host::ProcessCopy> copy_;  // that the files were filled from last
  pid_t copied_ = 0;
  std::uint64_t stopped_ns_ = 0;
  std::uint64_t drained_ns_ = 0;
};

}  // namespace

base::Result<void> can_be_adopted(const vmm::Machine& machine, const vmm::RamLayout& layout) {
  if (std::ranges::all_of(layout.regions, &vmm::RamRegion::shared))
    return fail(Code::unsupported, "the VM's RAM is shared already", "use --technique map");
  for (const vmm::RamRegion& region : layout.regions)
    if (region.backing != vmm::Backing::private_anonymous)
      return fail(refused(region.block + " is " + std::string(vmm::name(region.backing))));
  const std::vector<host::HostRange> ranges = block_ranges(layout);
  if (auto copied = host::can_be_copied(machine.process, ranges); !copied) return copied;
  if (auto pieces = host::replaceable_pieces(machine.process.pid, ranges); !pieces)
    return fail(pieces.error());
  const auto writers = vmm::kernel_writers(machine);
  if (!writers) return fail(writers.error());
  if (const vmm::KernelWriter* writer = vmm::never_at_rest(*writers))
    return fail(
        refused("it uses " + writer->words + ", which would go on using the memory before"));
  auto qmp = vmm::open_qmp(machine);
  if (qmp) return no_migration_under_way(*qmp);
  base::Error error = refused("its disks have to be brought to rest, and " + qmp.error().message);
  if (!qmp.error().remedy.empty()) error.remedy = qmp.error().remedy;
  return fail(std::move(error));
}

base::Result<Adopted> adopt_ram(const vmm::Machine& machine, const vmm::RamLayout& layout) {
  return Adoption(machine, layout).run();
}

}  // namespace vitrine::techniques
