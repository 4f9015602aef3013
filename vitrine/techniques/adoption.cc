#include "vitrine/techniques/adoption.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "vitrine/host/copy_preconditions.h"
#include "vitrine/host/hole_safe_mapping.h"
#include "vitrine/host/memory_replacement.h"
#include "vitrine/host/pagemap.h"
#include "vitrine/host/process_copy.h"
#include "vitrine/host/replacement_preconditions.h"
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
// A guest that writes faster than its memory is copied is stopped for longer, or left as it is.
constexpr int kMostRounds = 5;
constexpr std::uint64_t kMostPages = 16'384;  // 64 MiB
constexpr std::chrono::milliseconds kLongest{1000};
constexpr std::chrono::milliseconds kLongestPerGigabyte{100};  // comparing all page frames

base::Error adoption_refused(const std::string& why) {
  return {Code::unsupported, "the VM's RAM can't be adopted: " + why,
          "use --technique process-vm, or start the VM with shared RAM"};
}

base::Error changed_already(base::Error error) {
  error.message = "the VM was adopted, and its RAM can be mapped from now on, but " + error.message;
  return error;
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
    if (region.shared) continue;  // since the VM was adopted before, and memory plugged in then
    const auto same = std::ranges::find(parts, region.block, &Part::block);
    if (same == parts.end()) {
      parts.push_back({region.block, {region.host, region.size}});
      continue;
    }
    const base::HostVirtual start = std::min(same->range.start, region.host);
    const base::HostVirtual end = std::max(same->range.end(), region.host + region.size);
    same->range = {start, end - start};
  }
  std::vector<host::HostRange> ranges(parts.size());
  std::ranges::transform(parts, ranges.begin(), &Part::range);
  return ranges;
}

// One VM's way from one memory to the other.
class Adoption {
 public:
  Adoption(const vmm::Machine& machine, const vmm::RamLayout& layout)
      : machine_(machine), layout_(layout), ranges_(block_ranges(layout)) {}

  base::Result<Adopted> run() {
    if (auto prepared = prepare(); !prepared) return fail(prepared.error());
    if (auto filled = fill(); !filled) return fail(filled.error());
    if (auto replaced = replace(); !replaced)
      return fail(replaced_ ? changed_already(replaced.error()) : replaced.error());
    auto regions = regions_now();
    if (!regions) return fail(changed_already(regions.error()));
    return Adopted{{std::move(*regions), layout_.source}, stopped_ns_, drained_ns_};
  }

 private:
  // Until the guest writes to little between a copy and the next look.
  base::Result<void> fill() {
    std::uint64_t left = 0;
    for (int round = 0; round < kMostRounds; ++round) {
      if (auto copied = copy(); !copied) return fail(copied.error());
      const auto changed = replacement_->changed_since(copied_);
      if (!changed) return fail(changed.error());
      left = *changed;
      if (left <= kFewPages) return {};
    }
    if (left <= kMostPages) return {};
    return fail(Code::timeout,
                fmt::format("the guest writes to its memory faster than it is copied, or the host "
                            "has swapped some of it out: {} MiB differ after {} copies",
                            left >> 8, kMostRounds),
                "try again when the guest, or the host, is less busy; the VM's RAM is as before");
  }

  base::Result<std::vector<vmm::RamRegion>> regions_now() const {
    const auto mappings = host::mappings(machine_.process.pid);
    if (!mappings) return fail(mappings.error());
    return vmm::with_backing(layout_.regions, *mappings, machine_.process.pid);
  }

  base::Result<void> prepare() {
    auto begun = vmm::Intervention::begin(machine_);
    if (!begun) return fail(begun.error());
    intervention_ = std::move(*begun);
    if (auto same = unchanged(); !same) return same;
    auto replacement = host::MemoryReplacement::start(machine_.process, ranges_);
    if (!replacement) return fail(replacement.error());
    replacement_.emplace(std::move(*replacement));
    return {};
  }

  base::Result<void> unchanged() {
    const auto told = vmm::layout_from_monitor(intervention_->qmp(), machine_);
    if (!told) return fail(told.error());
    if (told->regions != layout_.regions)
      return fail(adoption_refused("its monitor tells of other RAM than was found"));
    return {};
  }

  // Devices may have been plugged in, and a migration started, since it was looked at last.
  base::Result<void> only_the_guest_writes() {
    if (auto none = no_migration_under_way(intervention_->qmp()); !none) return none;
    const auto writers = vmm::kernel_writers(machine_);
    if (!writers) return fail(writers.error());
    if (const vmm::KernelWriter* writer = vmm::never_at_rest(*writers))
      return fail(adoption_refused("it uses " + writer->words));
    return {};
  }

  // With the disks at rest.
  template <class Work>
  base::Result<void> drained(const Work& work) {
    auto drain = vmm::Drain::begin(*intervention_);
    if (!drain) return fail(drain.error());
    const auto alone = only_the_guest_writes();
    const base::Result<std::uint64_t> worked = alone ? work() : fail(alone.error());
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
    if (auto same = unchanged(); !same) return same;
    if (auto same = replacement_->check(); !same) return same;
    std::uint64_t bytes = 0;
    for (const host::HostRange& range : ranges_) bytes += range.size;
    const host::MemoryReplacement::Limits limits{
        kMostPages, kLongest + kLongestPerGigabyte * static_cast<int>(bytes >> 30)};
    return drained([&]() -> base::Result<std::uint64_t> {
      if (auto there = copy_->check(); !there) return fail(there.error());
      const auto replaced = replacement_->replace(copied_, limits);
      if (!replaced) return fail(replaced.error());
      replaced_ = true;
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
  bool replaced_ = false;  // from here on there is no way back
  std::uint64_t stopped_ns_ = 0;
  std::uint64_t drained_ns_ = 0;
};

// Nothing is begun that could not be used then: a file of the kind that the RAM becomes.
base::Result<void> can_be_mapped() {
  const base::FileDescriptor file(memfd_create(host::MemoryReplacement::kFileName, MFD_CLOEXEC));
  if (!file.valid() || ftruncate(file.get(), host::kHostPage) != 0)
    return base::fail_errno(errno, "memfd_create", "this host makes no files in memory");
  const auto mapping = host::HoleSafeMapping::create(file.get(), 0, host::kHostPage);
  if (!mapping) return fail(mapping.error());
  return {};
}

}  // namespace

base::Result<void> can_be_adopted(const vmm::Machine& machine, const vmm::RamLayout& layout) {
  if (std::ranges::all_of(layout.regions, &vmm::RamRegion::shared))
    return fail(Code::unsupported, "the VM's RAM is shared already", "use --technique map");
  for (const vmm::RamRegion& region : layout.regions)
    if (!region.shared && region.backing != vmm::Backing::private_anonymous)
      return fail(adoption_refused(region.block + " is " + std::string(vmm::name(region.backing))));
  const std::vector<host::HostRange> ranges = block_ranges(layout);
  if (auto copied = host::can_be_copied(machine.process, ranges); !copied) return copied;
  if (auto replaced = host::can_be_replaced(machine.process.pid, ranges); !replaced)
    return replaced;
  if (auto mapped = can_be_mapped(); !mapped) return mapped;
  const auto writers = vmm::kernel_writers(machine);
  if (!writers) return fail(writers.error());
  if (const vmm::KernelWriter* writer = vmm::never_at_rest(*writers))
    return fail(adoption_refused("it uses " + writer->words +
                                 ", which would go on using the memory before"));
  auto qmp = vmm::open_qmp(machine);
  if (qmp) return no_migration_under_way(*qmp);
  base::Error error =
      adoption_refused("its disks have to be brought to rest, and " + qmp.error().message);
  if (!qmp.error().remedy.empty()) error.remedy = qmp.error().remedy;
  return fail(std::move(error));
}

base::Result<Adopted> adopt_ram(const vmm::Machine& machine, const vmm::RamLayout& layout) {
  return Adoption(machine, layout).run();
}

}  // namespace vitrine::techniques
