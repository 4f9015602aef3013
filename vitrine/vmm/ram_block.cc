#include "vitrine/vmm/ram_block.h"

#include <algorithm>
#include <string_view>

namespace vitrine::vmm {
namespace {

// The number of the NUMA node that the backend is the memory of, or 0.
std::size_t node_of(const std::string& id, const CommandLine& line) {
  const auto found = std::find(line.numa_backends.begin(), line.numa_backends.end(), id);
  return found == line.numa_backends.end()
             ? 0
             : static_cast<std::size_t>(found - line.numa_backends.begin());
}

BlockUse use_of(const MemoryBackend& backend, const CommandLine& line) {
  const auto named = [&](const std::string& id) { return id == backend.id; };
  if (backend.id == line.machine_backend) return BlockUse::machine;
  if (std::any_of(line.numa_backends.begin(), line.numa_backends.end(), named)) {
    return BlockUse::machine;
  }
  for (const MemoryDevice& device : line.memory_devices) {
    if (device.memdev == backend.id && device.driver == "pc-dimm") return BlockUse::plugged;
    if (device.memdev == backend.id) return BlockUse::not_ram;
  }
  // Given for a device that is plugged in later, or for none.
  return BlockUse::not_ram;
}

std::optional<base::GuestPhysical> fixed_address(const std::string& id, const CommandLine& line) {
  for (const MemoryDevice& device : line.memory_devices) {
    if (device.memdev == id && device.address && *device.address != 0) {
      return base::GuestPhysical(*device.address);
    }
  }
  return std::nullopt;
}

// Indices of the machine's own blocks in guest-physical order: that of the nodes.
std::vector<std::size_t> machine_blocks(const std::vector<RamBlock>& blocks) {
  std::vector<std::size_t> list;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (blocks[i].use == BlockUse::machine) list.push_back(i);
  }
  std::stable_sort(list.begin(), list.end(),
                   [&](std::size_t a, std::size_t b) { return blocks[a].node < blocks[b].node; });
  return list;
}

bool usable(const host::Mapping& mapping) {
  const bool special = mapping.path.starts_with('[') && !mapping.path.starts_with("[anon:") &&
                       !mapping.path.starts_with("[anon_shmem:");
  return mapping.read && mapping.write && !mapping.exec && !special;
}

bool continues(const host::Mapping& a, const host::Mapping& b) {
  return a.end == b.start && a.shared == b.shared && a.same_file(b) &&
         (a.inode == 0 || a.offset + a.size() == b.offset);
}

// What the machine calls the RAM that it makes itself.
const char* default_block(const std::string& machine) {
  if (machine.starts_with("virt")) return "mach-virt.ram";
  return machine.find("microvm") != std::string::npos ? "microvm.ram" : "pc.ram";
}

}  // namespace

std::vector<RamBlock> ram_blocks(const CommandLine& line) {
  std::vector<RamBlock> blocks;
  for (const MemoryBackend& backend : line.backends) {
    if (backend.size == 0) continue;
    blocks.push_back({backend.id, use_of(backend, line), backend.kind, backend.size, backend.shared,
                      backend.path, fixed_address(backend.id, line), node_of(backend.id, line)});
  }
  const bool own = std::none_of(blocks.begin(), blocks.end(), [](const RamBlock& block) {
    return block.use == BlockUse::machine;
  });
  if (own) {
    const auto kind = line.memory_path.empty() ? BackendKind::ram : BackendKind::file;
    blocks.push_back({default_block(line.machine),
                      BlockUse::machine,
                      kind,
                      line.memory,
                      false,
                      line.memory_path,
                      {},
                      0});
  }
  return blocks;
}

std::vector<MappedRun> mapped_runs(std::span<const host::Mapping> mappings) {
  std::vector<MappedRun> runs;
  const host::Mapping* last = nullptr;
  for (const host::Mapping& mapping : mappings) {
    if (!usable(mapping)) continue;
    if (last != nullptr && continues(*last, mapping)) {
      runs.back().size += mapping.size();
    } else {
      runs.push_back({mapping.start, mapping.size(), mapping.shared, mapping.inode == 0,
                      host::without_deleted_mark(mapping.path)});
    }
    last = &mapping;
  }
  return runs;
}

std::vector<RamRegion> place(const std::vector<RamBlock>& blocks, const HostPlacement& host,
                             const PhysicalPlacement& physical) {
  // Of the backends' page size on x86: 2 MiB for anonymous memory (util/oslib-posix.c).
  constexpr std::uint64_t kAlignment = 2 << 20;
  std::vector<RamRegion> regions;
  const auto add = [&](base::GuestPhysical start, std::uint64_t size, base::HostVirtual at,
                       const std::string& name, std::uint64_t offset) {
    RamRegion region;
    region.start = start;
    region.size = size;
    region.host = at;
    region.block = name;
    region.block_offset = offset;
    if (size != 0) regions.push_back(std::move(region));
  };
  const auto add_around_hole = [&](std::uint64_t start, std::uint64_t size, base::HostVirtual at,
                                   const std::string& name) {
    const std::uint64_t hole = std::clamp(physical.hole.start.value, start, start + size) - start;
    const std::uint64_t end = std::clamp(physical.hole.end().value, start, start + size) - start;
    add(base::GuestPhysical(start), hole, at, name, 0);
    add(base::GuestPhysical(start + end), size - end, at + end, name, end);
  };
  std::uint64_t placed = 0;
  for (const std::size_t i : machine_blocks(blocks)) {
    if (!host.starts[i]) continue;
    const std::uint64_t below =
        std::min(blocks[i].size, physical.below_4g - std::min(placed, physical.below_4g));
    add_around_hole(placed, below, *host.starts[i], blocks[i].name);
    const std::uint64_t passed = std::max(placed, physical.below_4g) - physical.below_4g;
    add(physical.above_4g + passed, blocks[i].size - below, *host.starts[i] + below, blocks[i].name,
        below);
    placed += blocks[i].size;
  }
  base::GuestPhysical next = device_memory_start(physical, std::max(placed, physical.below_4g));
  const auto plug = [&](std::optional<base::GuestPhysical> fixed, std::uint64_t size,
                        base::HostVirtual at, const std::string& name) {
    const base::GuestPhysical start = fixed.value_or(next);
    add(start, size, at, name, 0);
    next = base::GuestPhysical(((start + size).value + kAlignment - 1) / kAlignment * kAlignment);
  };
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (blocks[i].use != BlockUse::plugged || !host.starts[i]) continue;
    plug(blocks[i].address, blocks[i].size, *host.starts[i], blocks[i].name);
  }
  for (const MappedRun& run : host.unclaimed) plug({}, run.size, run.start, "plugged-in memory");
  return regions;
}

}  // namespace vitrine::vmm
