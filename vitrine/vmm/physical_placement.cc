#include "vitrine/vmm/physical_placement.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace vitrine::vmm {
namespace {

constexpr std::uint64_t kGibibyte = 1ULL << 30;

bool is_microvm(const CommandLine& line) {
  return line.machine.find("microvm") != std::string::npos;
}

// Arm's machine: "virt", or "virt-7.2" and the like (hw/arm/virt.c).
bool is_virt(const CommandLine& line) {
  return line.machine == "virt" || line.machine.starts_with("virt-");
}

// What the machine's own code puts below 4 GiB at most.
std::uint64_t prescribed_below_4g(const CommandLine& line) {
  const std::uint64_t memory = line.memory;
  if (line.machine.find("q35") != std::string::npos) {
    const std::uint64_t low = memory >= 0xb0000000 ? 2 * kGibibyte : 0xb0000000;
    return line.below_4g != 0 ? std::min(low, line.below_4g) : low;
  }
  if (is_microvm(line)) {
    return line.below_4g != 0 ? std::min(3 * kGibibyte, line.below_4g) : 3 * kGibibyte;
  }
  const std::uint64_t low = line.below_4g != 0 ? line.below_4g : 0xe0000000;
  return memory >= low ? std::min(low, 3 * kGibibyte) : low;
}

}  // namespace

std::vector<PhysicalPlacement> physical_placements(const CommandLine& command_line) {
  const std::uint64_t memory = command_line.memory;
  if (is_virt(command_line))
    return {{0, base::GuestPhysical(kGibibyte), {}, "all RAM from 1 GiB on"}};
  const memory::Range hole = is_microvm(command_line)
                                 ? memory::Range{base::GuestPhysical(0xf0000), 0x10000}
                                 : memory::Range{base::GuestPhysical(0xa0000), 0x20000};
  std::vector<PhysicalPlacement> list;
  const auto add = [&](std::uint64_t limit, base::GuestPhysical above, const char* why) {
    const std::uint64_t below = std::min(limit, memory);
    const bool known = std::any_of(list.begin(), list.end(), [&](const PhysicalPlacement& other) {
      return other.below_4g == below && (other.above_4g == above || below == memory);
    });
    if (known) return;
    const std::string reason = below == memory
                                   ? "all RAM below 4 GiB"
                                   : fmt::format("{} MiB below 4 GiB, {}", below >> 20, why);
    list.push_back({below, above, hole, reason});
  };
  const base::GuestPhysical four_gibibytes(4 * kGibibyte);
  const std::uint64_t prescribed = prescribed_below_4g(command_line);
  add(prescribed, four_gibibytes, "as the machine type prescribes");
  // RAM that would reach into AMD's HyperTransport hole goes above 1 TiB (pc.c, since QEMU 7.1).
  if (memory > 0xfd00000000 - 4 * kGibibyte) {
    add(prescribed, base::GuestPhysical(1ULL << 40), "the rest above AMD's hole");
  }
  for (const std::uint64_t limit : {3 * kGibibyte, 2 * kGibibyte, 0xe0000000UL, 0xb0000000UL}) {
    if (command_line.below_4g == 0 && limit < memory) {
      add(limit, four_gibibytes, "as other machine types do");
    }
  }
  return list;
}

base::GuestPhysical device_memory_start(const PhysicalPlacement& placement, std::uint64_t memory) {
  const std::uint64_t end = (placement.above_4g + (memory - placement.below_4g)).value;
  return base::GuestPhysical((end + kGibibyte - 1) / kGibibyte * kGibibyte);
}

}  // namespace vitrine::vmm
