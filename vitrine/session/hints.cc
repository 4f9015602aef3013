#include "vitrine/session/hints.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "vitrine/base/file_descriptor.h"
#include "vitrine/host/mappings.h"

namespace vitrine::session {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kFormat = 3;
constexpr std::size_t kMaxFile = 64 * 1024;
constexpr std::size_t kMaxRegions = 128;

std::string boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

// The folder, made if need be; nothing unless it is ours and nobody else can look into it.
std::optional<fs::path> private_folder() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  fs::path parent;
  if (cache != nullptr && *cache == '/')
    parent = cache;
  else if (home != nullptr && *home == '/')
    parent = fs::path(home) / ".cache";
  else
    return std::nullopt;
  std::error_code ignored;
  fs::create_directories(parent, ignored);
  const fs::path folder = parent / "vitrine";
  mkdir(folder.c_str(), 0700);
  struct stat info {};
  if (lstat(folder.c_str(), &info) != 0 || !S_ISDIR(info.st_mode) || info.st_uid != geteuid() ||
      (info.st_mode & 077) != 0)
    return std::nullopt;
  return folder;
}

std::string file_name(const vmm::Machine& machine) {
  return boot_id() + "-" + std::to_string(machine.process.pid) + "-" +
         std::to_string(machine.process.start_time) + ".json";
}

std::optional<std::string> read_private(const fs::path& path) {
  const base::FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat info {};
  if (!file.valid() || fstat(file.get(), &info) != 0 || info.st_uid != geteuid() ||
      !S_ISREG(info.st_mode))
    return std::nullopt;
  std::string text(kMaxFile, '\0');
  const ssize_t size = read(file.get(), text.data(), text.size());
  if (size < 0) return std::nullopt;
  text.resize(static_cast<std::size_t>(size));
  return text;
}

void drop_earlier_boots(const fs::path& folder, const std::string& boot) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (!entry.path().filename().string().starts_with(boot)) fs::remove(entry.path(), error);
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
                                     mapping.inode, std::uint64_t{mapping.shared}})
      add(word);
  }
  return hash;
}

std::optional<Hints> load_hints(const vmm::Machine& machine) {
  const auto folder = private_folder();
  if (!folder) return std::nullopt;
  const auto text = read_private(*folder / file_name(machine));
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
    return hints;
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

void store_hints(const vmm::Machine& machine, const Hints& hints) {
  const auto folder = private_folder();
  if (!folder) return;
  json regions = json::array();
  if (hints.layout.regions.size() <= kMaxRegions)
    for (const vmm::RamRegion& region : hints.layout.regions) regions.push_back(json_of(region));
  const json entry{{"format", kFormat},
                   {"note", hints.note.value},
                   {"mappings", hints.mappings},
                   {"source", hints.layout.source},
                   {"regions", regions}};
  // A path may not be UTF-8: what is replaced in it is only shown.
  const std::string text = entry.dump(-1, ' ', false, json::error_handler_t::replace);
  std::string temporary = (*folder / "new-XXXXXX").string();
  const base::FileDescriptor file(mkostemp(temporary.data(), O_CLOEXEC));
  if (!file.valid()) return;
  const bool written =
      write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const fs::path path = *folder / file_name(machine);
  if (!written || rename(temporary.c_str(), path.c_str()) != 0) unlink(temporary.c_str());
  drop_earlier_boots(*folder, boot_id());
}

}  // namespace vitrine::session
