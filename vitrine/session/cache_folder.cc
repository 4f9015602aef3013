#include "vitrine/session/cache_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "vitrine/base/address.h"
#include "vitrine/base/file_descriptor.h"

namespace vitrine::session {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kNew = "new-";  // begins the names of files that are being written

// FNV-1a: finds damage. It is no protection against the user's own forgeries.
std::string checksum(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : text) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  return base::to_hex(hash);
}

std::optional<std::string> read_private(const fs::path& path, std::size_t limit) {
  const base::FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat info {};
  if (!file.valid() || fstat(file.get(), &info) != 0 || info.st_uid != geteuid() ||
      !S_ISREG(info.st_mode) || info.st_size < 0 || static_cast<std::size_t>(info.st_size) > limit)
    return std::nullopt;
  std::string text(static_cast<std::size_t>(info.st_size), '\0');
  const ssize_t size = read(file.get(), text.data(), text.size());
  if (size != static_cast<ssize_t>(text.size())) return std::nullopt;
  return text;
}

}  // namespace

std::optional<fs::path> cache_folder() {
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
  fs::path folder = parent / "vitrine";
  mkdir(folder.c_str(), 0700);
  struct stat info {};
  if (lstat(folder.c_str(), &info) != 0 || !S_ISDIR(info.st_mode) || info.st_uid != geteuid() ||
      (info.st_mode & 077) != 0)
    return std::nullopt;
  return folder;
}

std::optional<std::string> read_cached(std::string_view name, std::size_t limit) {
  const auto folder = cache_folder();
  if (!folder) return std::nullopt;
  const auto text = read_private(*folder / name, limit);
  if (!text) return std::nullopt;
  const std::size_t line = text->find('\n');
  if (line == std::string::npos) return std::nullopt;
  std::string rest = text->substr(line + 1);
  if (text->substr(0, line) != checksum(rest)) return std::nullopt;
  return rest;
}

void write_cached(std::string_view name, std::string_view text) {
  const auto folder = cache_folder();
  if (!folder) return;
  const std::string whole = checksum(text) + "\n" + std::string(text);
  std::string temporary = (*folder / (std::string(kNew) + "XXXXXX")).string();
  const base::FileDescriptor file(mkostemp(temporary.data(), O_CLOEXEC));
  if (!file.valid()) return;
  const bool written =
      write(file.get(), whole.data(), whole.size()) == static_cast<ssize_t>(whole.size());
  if (!written || rename(temporary.c_str(), (*folder / name).c_str()) != 0)
    unlink(temporary.c_str());
  // What somebody who was killed left half-written.
  trim_cached(kNew, 0);
}

void trim_cached(std::string_view prefix, std::size_t keep) {
  const auto folder = cache_folder();
  if (!folder) return;
  std::error_code error;
  std::vector<std::pair<fs::file_time_type, fs::path>> files;
  for (const auto& entry : fs::directory_iterator(*folder, error))
    if (entry.path().filename().string().starts_with(prefix))
      files.emplace_back(entry.last_write_time(error), entry.path());
  if (files.size() <= keep) return;
  std::ranges::sort(files, std::ranges::greater{});
  for (std::size_t i = keep; i < files.size(); ++i) fs::remove(files[i].second, error);
}

}  // namespace vitrine::session
