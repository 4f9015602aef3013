// host_placements(): assigns a VMM's mappings to the RAM blocks its command line implies.
#include <fmt/format.h>

#include <algorithm>

#include "vitrine/vmm/ram_block.h"

namespace vitrine::vmm {
namespace {

constexpr std::size_t kMaximumPlacements = 16;
// Steps of the search at most; a real VM takes a handful.
constexpr std::size_t kMaximumSteps = 4096;

struct Choice {
  base::HostVirtual start;
  int doubt = 0;  // 0: right kind, name and size; each doubt adds
};

bool right_file(const RamBlock& block, const MappedRun& run) {
  if (block.kind == BackendKind::memfd) return run.path.starts_with("/memfd:");
  if (block.kind != BackendKind::file) return true;
  // In a folder QEMU makes a file of its own there (backends/hostmem-file.c).
  return run.path == block.path || run.path.starts_with(block.path + "/qemu_back_mem.") ||
         run.path.ends_with("/" + block.path);
}

bool right_kind(const RamBlock& block, const MappedRun& run) {
  // Shared RAM without a file is in a memfd or on /dev/zero, depending on QEMU's version.
  const bool anonymous = block.kind == BackendKind::ram && !block.shared;
  return run.anonymous == anonymous && run.shared == block.shared;
}

std::vector<Choice> choices(const RamBlock& block, const std::vector<MappedRun>& runs) {
  std::vector<Choice> list;
  for (const MappedRun& run : runs) {
    if (run.size < block.size || !right_kind(block, run)) continue;
    const int doubt = right_file(block, run) ? 0 : 8;
    // Sizes of huge-page backends are rounded up.
    constexpr std::uint64_t kHugePage = 2 << 20;
    const std::uint64_t excess = run.size - block.size;
    if (excess == 0 || (!run.anonymous && excess < kHugePage)) {
      list.push_back({run.start, doubt});
      continue;
    }
    // A neighbour was merged with it. QEMU's guard page is at the end, so that is where RAM ends.
    list.push_back({run.start + excess, doubt + 2});
    list.push_back({run.start, doubt + 3});
  }
  std::stable_sort(list.begin(), list.end(), [](const Choice& a, const Choice& b) {
    return a.doubt != b.doubt ? a.doubt < b.doubt : a.start > b.start;
  });
  return list;
}

// Depth-first over the blocks, the best choice of each first.
class Search {
 public:
  Search(const std::vector<RamBlock>& blocks, const std::vector<MappedRun>& runs)
      : blocks_(blocks) {
    for (const RamBlock& block : blocks) choices_.push_back(choices(block, runs));
    current_.starts.resize(blocks.size());
  }

  std::vector<HostPlacement> run() {
    descend(0, 0);
    std::stable_sort(found_.begin(), found_.end(),
                     [](const Found& a, const Found& b) { return a.doubt < b.doubt; });
    std::vector<HostPlacement> list;
    for (Found& found : found_) list.push_back(std::move(found.placement));
    return list;
  }

 private:
  struct Found {
    HostPlacement placement;
    int doubt;
  };

  bool taken(std::size_t index, base::HostVirtual start) const {
    for (std::size_t i = 0; i < index; ++i) {
      if (current_.starts[i] && start < *current_.starts[i] + blocks_[i].size &&
          *current_.starts[i] < start + blocks_[index].size) {
        return true;
      }
    }
    return false;
  }

  void descend(std::size_t index, int doubt) {
    if (found_.size() >= kMaximumPlacements || ++steps_ > kMaximumSteps) return;
    if (index == blocks_.size()) {
      current_.reason =
          doubt == 0 ? "mappings of the right kind and size" : "larger or other mappings";
      found_.push_back({current_, doubt});
      return;
    }
    bool any = false;
    for (const Choice& choice : choices_[index]) {
      if (taken(index, choice.start)) continue;
      any = true;
      current_.starts[index] = choice.start;
      descend(index + 1, doubt + choice.doubt);
    }
    current_.starts[index].reset();
    // A backend of a device may be gone by now; RAM of the machine may not.
    if (!any && blocks_[index].use != BlockUse::machine) descend(index + 1, doubt + 1);
  }

  const std::vector<RamBlock>& blocks_;
  std::vector<std::vector<Choice>> choices_;
  HostPlacement current_;
  std::vector<Found> found_;
  std::size_t steps_ = 0;
};

// Anonymous runs of whole memory sections that no block claims, as hot-plugged DIMMs are. That the
// guest has no RAM there if this is wrong makes it harmless: its page tables never point there.
std::vector<MappedRun> like_dimms(const HostPlacement& placement,
                                  const std::vector<RamBlock>& blocks,
                                  const std::vector<MappedRun>& runs) {
  constexpr std::uint64_t kSection = 128 << 20;  // include/linux/mmzone.h on x86-64
  std::vector<MappedRun> list;
  for (auto run = runs.rbegin(); run != runs.rend(); ++run) {
    if (!run->anonymous || run->shared || run->size % kSection != 0) continue;
    bool claimed = false;
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      claimed = claimed || (placement.starts[i] && *placement.starts[i] < run->start + run->size &&
                            run->start < *placement.starts[i] + blocks[i].size);
    }
    if (!claimed) list.push_back(*run);
  }
  return list;
}

}  // namespace

std::vector<HostPlacement> host_placements(const CommandLine& command_line,
                                           const std::vector<RamBlock>& blocks,
                                           std::span<const host::Mapping> mappings) {
  const auto runs = mapped_runs(mappings);
  std::vector<HostPlacement> list;
  for (HostPlacement& placement : Search(blocks, runs).run()) {
    if (command_line.memory_slots > 0) {
      HostPlacement with_dimms = placement;
      with_dimms.unclaimed = like_dimms(placement, blocks, runs);
      if (with_dimms.unclaimed.size() > command_line.memory_slots) {
        with_dimms.unclaimed.resize(command_line.memory_slots);
      }
      if (!with_dimms.unclaimed.empty()) {
        with_dimms.reason +=
            fmt::format(", {} taken for plugged-in memory", with_dimms.unclaimed.size());
        list.push_back(std::move(with_dimms));
      }
    }
    list.push_back(std::move(placement));
  }
  if (list.size() > kMaximumPlacements) list.resize(kMaximumPlacements);
  return list;
}

}  // namespace vitrine::vmm
