#include "vitrine/session/hints.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "vitrine/base/file_descriptor.h"

namespace vitrine::session {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kFormat = 1;
constexpr std::size_t kMaxFile = 64 * 1024;

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

}  // namespace

std::optional<Hints> load_hints(const vmm::Machine& machine) {
  const auto folder = private_folder();
  if (!folder) return std::nullopt;
  const auto text = read_private(*folder / file_name(machine));
  if (!text) return std::nullopt;
  const json parsed = json::parse(*text, nullptr, false);
  if (!parsed.is_object() || parsed.value("format", json()) != kFormat) return std::nullopt;
  const auto note = parsed.find("note");
  if (note == parsed.end() || !note->is_number_unsigned()) return std::nullopt;
  return Hints{base::GuestPhysical(note->get<std::uint64_t>())};
}

void store_hints(const vmm::Machine& machine, const Hints& hints) {
  const auto folder = private_folder();
  if (!folder) return;
  const std::string text = json{{"format", kFormat}, {"note", hints.note.value}}.dump();
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
