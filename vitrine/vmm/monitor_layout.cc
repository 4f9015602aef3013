// layout_from_monitor(): the RAM layout as QEMU itself tells it.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "vitrine/base/json.h"
#include "vitrine/vmm/backing.h"
#include "vitrine/vmm/memory_tree.h"
#include "vitrine/vmm/ram_layout.h"

namespace vitrine::vmm {
namespace {

using base::Json;

// What a monitor that is hostile or broken could make us ask for at most.
constexpr std::size_t kMaximumPieces = 4096;

// What is RAM of the guest's system, and the blocks it may come from.
struct Expected {
  std::vector<memory::Range> ranges;
  std::set<std::string> blocks;
};

Json answer_to(Qmp& qmp, std::string_view command) {
  const auto reply = qmp.execute(command);
  return reply ? base::parse_json(*reply) : Json();
}

// Plugged-in memory; persistent memory (nvdimm, virtio-pmem) is a disk to the guest, not RAM.
void add_memory_devices(const Json& devices, Expected& expected) {
  if (!devices.is_array()) return;
  for (const Json& device : devices) {
    if (!device.is_object() || !device.contains("data") || !device["data"].is_object()) continue;
    const Json& data = device["data"];
    const bool dimm = device.value("type", Json()) == "dimm";
    const bool virtio = device.value("type", Json()) == "virtio-mem";
    if (!dimm && !virtio) continue;
    const Json address = data.value(dimm ? "addr" : "memaddr", Json());
    const Json size = data.value(dimm ? "size" : "max-size", Json());
    if (!address.is_number_unsigned() || !size.is_number_unsigned()) continue;
    expected.ranges.push_back(
        {base::GuestPhysical(address.get<std::uint64_t>()), size.get<std::uint64_t>()});
  }
}

base::Result<Expected> expected_ram(Qmp& qmp) {
  auto text = qmp.human_monitor("info mtree");
  if (!text) return base::fail(text.error());
  auto system = parse_system_ram(*text);
  if (!system) return base::fail(system.error());
  Expected expected{std::move(system->ranges), {}};
  expected.blocks.insert(system->blocks.begin(), system->blocks.end());
  add_memory_devices(answer_to(qmp, "answer_to-memory-devices"), expected);
  const Json backends = answer_to(qmp, "answer_to-memdev");
  if (!backends.is_array()) return expected;
  for (const Json& backend : backends) {
    if (!backend.is_object() || !backend.value("id", Json()).is_string()) continue;
    const auto id = backend["id"].get<std::string>();
    expected.blocks.insert(id);
    // The name where x-use-canonical-path-for-ramblock-id is set, as machine types before 4.0 do.
    expected.blocks.insert("/objects/" + id);
  }
  return expected;
}

// The parts of the flat view that are the system's RAM.
std::vector<FlatRange> system_pieces(const std::vector<FlatRange>& flat, const Expected& expected) {
  std::vector<FlatRange> pieces;
  for (const FlatRange& range : flat) {
    if (!expected.blocks.contains(range.block)) continue;
    for (const memory::Range& wanted : expected.ranges) {
      const auto start = std::max(range.range.start, wanted.start);
      const auto end = std::min(range.range.end(), wanted.end());
      if (start >= end) continue;
      pieces.push_back(
          {{start, end - start}, range.block, range.offset + (start - range.range.start)});
    }
  }
  return pieces;
}

// "Host virtual address for 0xGPA (BLOCK) is 0xHVA" (monitor/hmp-cmds.c, hmp_gpa2hva).
base::Result<base::HostVirtual> host_address(Qmp& qmp, base::GuestPhysical at,
                                             const std::string& block) {
  const auto text = qmp.human_monitor("gpa2hva " + base::to_string(at));
  if (!text) return base::fail(text.error());
  constexpr std::string_view kIs = ") is 0x";
  const auto found = text->rfind(kIs);
  std::uint64_t value = 0;
  if (found != text->npos && text->find("(" + block + kIs.data()) != text->npos) {
    const char* const digits = text->data() + found + kIs.size();
    const auto parsed = std::from_chars(digits, text->data() + text->size(), value, 16);
    if (parsed.ec == std::errc{}) return base::HostVirtual(value);
  }
  return base::fail({base::Code::inconsistent,
                     fmt::format("QEMU does not tell where it keeps RAM block {}", block),
                     {},
                     at.value});
}

base::Result<RamRegion> located(Qmp& qmp, const FlatRange& piece) {
  const std::uint64_t last = piece.range.size - 1;
  const auto first_host = host_address(qmp, piece.range.start, piece.block);
  if (!first_host) return base::fail(first_host.error());
  const auto last_host = host_address(qmp, piece.range.start + last, piece.block);
  if (!last_host) return base::fail(last_host.error());
  if (*last_host - *first_host != last) {
    return base::fail({base::Code::inconsistent,
                       fmt::format("RAM block {} is not contiguous in the VMM", piece.block),
                       {},
                       piece.range.start.value});
  }
  RamRegion region;
  region.start = piece.range.start;
  region.size = piece.range.size;
  region.host = *first_host;
  region.block = piece.block;
  region.block_offset = piece.offset;
  return region;
}

}  // namespace

base::Result<RamLayout> layout_from_monitor(Qmp& qmp, const Machine& machine,
                                            const host::ProcRoot& proc) {
  const auto expected = expected_ram(qmp);
  if (!expected) return base::fail(expected.error());
  const auto text = qmp.human_monitor("info mtree -f");
  if (!text) return base::fail(text.error());
  const auto flat = parse_flat_view(*text);
  if (!flat) return base::fail(flat.error());
  const auto pieces = system_pieces(*flat, *expected);
  if (pieces.empty() || pieces.size() > kMaximumPieces) {
    return base::fail(base::Code::unsupported,
                      fmt::format("QEMU's memory tree shows {} pieces of RAM", pieces.size()));
  }
  std::vector<RamRegion> regions;
  for (const FlatRange& piece : pieces) {
    auto region = located(qmp, piece);
    if (!region) return base::fail(region.error());
    regions.push_back(std::move(*region));
  }
  const auto mappings = host::mappings(machine.process.pid, proc);
  if (!mappings) return base::fail(mappings.error());
  auto complete = with_backing(std::move(regions), *mappings, machine.process.pid, proc);
  if (!complete) return base::fail(complete.error());
  return RamLayout{std::move(*complete), "QMP (info mtree, gpa2hva)"};
}

}  // namespace vitrine::vmm
