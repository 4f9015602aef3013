#include "vitrine/session/hints.h"

#include <algorithm>
#include <fstream>
#include <span>
#include <utility>

#include "vitrine/base/json.h"
#include "vitrine/host/mappings.h"
#include "vitrine/session/cache_folder.h"

namespace vitrine::session {
namespace {

using base::Json;

constexpr int kFormat = 4;
constexpr std::size_t kMaxRegions = 128;
constexpr std::size_t kMaxFile = 256u << 10;
constexpr std::size_t kMaxPieces = 4096;
constexpr std::size_t kMaxVms = 64;
constexpr auto kLastBacking = static_cast<std::uint8_t>(vmm::Backing::hugetlb);

// Neither empty, nor one in another, nor beyond the end of the address space.
template <class Pieces>
bool ascending(const Pieces& pieces) {
  base::GuestPhysical end(0);
  for (const auto& piece : pieces) {
    if (piece.start < end || piece.end() <= piece.start) return false;
    end = piece.end();
  }
  return true;
}

bool holds_together(const Hints& hints) {
  const auto mapped = [](const vmm::RamRegion& region) {
    return region.host + region.size > region.host;
  };
  return ascending(hints.layout.regions) && ascending(hints.pieces) &&
         std::ranges::all_of(hints.layout.regions, mapped);
}

std::string boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

std::string file_name(const vmm::Machine& machine) {
  return "vm-" + boot_id() + "-" + std::to_string(machine.process.pid) + "-" +
         std::to_string(machine.process.start_time) + ".json";
}

Json json_of(const vmm::RamRegion& region) {
  return {{"start", region.start.value},
          {"size", region.size},
          {"host", region.host.value},
          {"block", region.block},
          {"block_offset", region.block_offset},
          {"backing", static_cast<unsigned>(region.backing)},
          {"shared", region.shared},
          {"dev_major", region.dev_major},
          {"dev_minor", region.dev_minor},
          {"inode", region.inode},
          {"file_offset", region.file_offset},
          {"path", region.path}};
}

vmm::RamRegion region_of(const Json& entry) {
  vmm::RamRegion region;
  region.start = base::GuestPhysical(base::whole_number(entry.at("start")));
  region.size = base::whole_number(entry.at("size"));
  region.host = base::HostVirtual(base::whole_number(entry.at("host")));
  region.block = entry.at("block").get<std::string>();
  region.block_offset = base::whole_number(entry.at("block_offset"));
  region.backing = static_cast<vmm::Backing>(
      std::min(base::whole_number(entry.at("backing")), std::uint64_t{kLastBacking}));
  region.shared = entry.at("shared").get<bool>();
  region.dev_major = static_cast<std::uint32_t>(base::whole_number(entry.at("dev_major")));
  region.dev_minor = static_cast<std::uint32_t>(base::whole_number(entry.at("dev_minor")));
  region.inode = base::whole_number(entry.at("inode"));
  region.file_offset = base::whole_number(entry.at("file_offset"));
  region.path = entry.at("path").get<std::string>();
  return region;
}

}  // namespace

std::uint64_t fingerprint_mappings(const vmm::Machine& machine) {
  constexpr std::uint64_t kLarge = 32u << 20;
  const auto mappings = host::mappings(machine.process.pid);
  if (!mappings) return 0;
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a over words
  const auto add = [&hash](std::uint64_t word) { hash = (hash ^ word) * 0x100000001b3; };
  for (const host::Mapping& mapping : *mappings) {
    if (!mapping.read || !mapping.write || mapping.size() < kLarge) continue;
    for (const std::uint64_t word : {mapping.start.value, mapping.end.value, mapping.offset,
                                     mapping.inode, std::uint64_t{mapping.shared ? 1u : 0u}})
      add(word);
  }
  return hash;
}

std::optional<Hints> load_hints(const vmm::Machine& machine) {
  const auto text = read_cached(file_name(machine), kMaxFile);
  return text ? parse_hints(*text) : std::nullopt;
}

void store_hints(const vmm::Machine& machine, const Hints& hints) {
  write_cached(file_name(machine), hints_text(hints));
  trim_cached("vm-", kMaxVms);
}

std::optional<Hints> parse_hints(std::string_view text) {
  const Json parsed = base::parse_json(text);
  if (!parsed.is_object() || parsed.value("format", Json()) != kFormat) return std::nullopt;
  // Whatever is missing or of another type throws, and means that there are no hints.
  try {
    Hints hints;
    hints.note = base::GuestPhysical(base::whole_number(parsed.at("note")));
    hints.mappings = base::whole_number(parsed.at("mappings"));
    hints.layout.source = parsed.at("source").get<std::string>();
    for (const Json& entry : parsed.at("regions")) {
      if (hints.layout.regions.size() == kMaxRegions) return std::nullopt;
      hints.layout.regions.push_back(region_of(entry));
    }
    for (const Json& entry : parsed.at("pieces")) {
      if (hints.pieces.size() == kMaxPieces) return std::nullopt;
      hints.pieces.push_back(
          {base::GuestPhysical(base::whole_number(entry.at(0))), base::whole_number(entry.at(1))});
    }
    return holds_together(hints) ? std::optional(std::move(hints)) : std::nullopt;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

std::string hints_text(const Hints& hints) {
  Json regions = Json::array();
  if (hints.layout.regions.size() <= kMaxRegions)
    for (const vmm::RamRegion& region : hints.layout.regions) regions.push_back(json_of(region));
  Json pieces = Json::array();
  for (const memory::Range& piece :
       std::span(hints.pieces).first(std::min(hints.pieces.size(), kMaxPieces)))
    pieces.push_back({piece.start.value, piece.size});
  const Json entry{{"format", kFormat},          {"note", hints.note.value},
                   {"mappings", hints.mappings}, {"source", hints.layout.source},
                   {"regions", regions},         {"pieces", pieces}};
  // A path may not be UTF-8: what is replaced in it is only shown.
  return base::json_text(entry);
}

}  // namespace vitrine::session
