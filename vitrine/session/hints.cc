#include "vitrine/session/hints.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <span>

#include "vitrine/host/mappings.h"
#include "vitrine/session/cache_folder.h"

namespace vitrine::session {
namespace {

using nlohmann::json;

constexpr int kFormat = 4;
constexpr std::size_t kMaxRegions = 128;
constexpr std::size_t kMaxFile = 256u << 10;
constexpr std::size_t kMaxPieces = 4096;
constexpr std::size_t kMaxVms = 64;

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

json json_of(const vmm::RamRegion& region) {
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

vmm::RamRegion region_of(const json& entry) {
  vmm::RamRegion region;
  region.start = base::GuestPhysical(entry.at("start").get<std::uint64_t>());
  region.size = entry.at("size").get<std::uint64_t>();
  region.host = base::HostVirtual(entry.at("host").get<std::uint64_t>());
  region.block = entry.at("block").get<std::string>();
  region.block_offset = entry.at("block_offset").get<std::uint64_t>();
  region.backing = static_cast<vmm::Backing>(
      std::min(entry.at("backing").get<unsigned>(), static_cast<unsigned>(vmm::Backing::hugetlb)));
  region.shared = entry.at("shared").get<bool>();
  region.dev_major = entry.at("dev_major").get<std::uint32_t>();
  region.dev_minor = entry.at("dev_minor").get<std::uint32_t>();
  region.inode = entry.at("inode").get<std::uint64_t>();
  region.file_offset = entry.at("file_offset").get<std::uint64_t>();
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
  if (!text) return std::nullopt;
  const json parsed = json::parse(*text, nullptr, false);
  if (!parsed.is_object() || parsed.value("format", json()) != kFormat) return std::nullopt;
  // Whatever is missing or of another type throws, and means that there are no hints.
  try {
    Hints hints;
    hints.note = base::GuestPhysical(parsed.at("note").get<std::uint64_t>());
    hints.mappings = parsed.at("mappings").get<std::uint64_t>();
    hints.layout.source = parsed.at("source").get<std::string>();
    for (const json& region : parsed.at("regions")) {
      if (hints.layout.regions.size() == kMaxRegions) return std::nullopt;
      hints.layout.regions.push_back(region_of(region));
    }
    for (const json& piece : parsed.at("pieces")) {
      if (hints.pieces.size() == kMaxPieces) return std::nullopt;
      hints.pieces.push_back({base::GuestPhysical(piece.at(0).get<std::uint64_t>()),
                              piece.at(1).get<std::uint64_t>()});
    }
    return hints;
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

void store_hints(const vmm::Machine& machine, const Hints& hints) {
  json regions = json::array();
  if (hints.layout.regions.size() <= kMaxRegions)
    for (const vmm::RamRegion& region : hints.layout.regions) regions.push_back(json_of(region));
  json pieces = json::array();
  for (const memory::Range& piece :
       std::span(hints.pieces).first(std::min(hints.pieces.size(), kMaxPieces)))
    pieces.push_back({piece.start.value, piece.size});
  const json entry{{"format", kFormat},          {"note", hints.note.value},
                   {"mappings", hints.mappings}, {"source", hints.layout.source},
                   {"regions", regions},         {"pieces", pieces}};
  // A path may not be UTF-8: what is replaced in it is only shown.
  write_cached(file_name(machine), entry.dump(-1, ' ', false, json::error_handler_t::replace));
  trim_cached("vm-", kMaxVms);
}

}  // namespace vitrine::session
