#include "vitrine/session/held_copies.h"

#include <string>
#include <system_error>

#include "vitrine/host/process_copy.h"
#include "vitrine/session/cache_folder.h"

namespace vitrine::session {
namespace {

constexpr std::string_view kHeldPrefix = "held-";
constexpr std::size_t kDigits = 16;  // of the digest

}  // namespace

base::Result<std::filesystem::path> held_copy_path(std::string_view sha256) {
  const auto folder = cache_folder();
  if (!folder)
    return base::fail(base::Code::denied, "there is no folder of yours to note the copy in",
                      "set HOME or XDG_CACHE_HOME to a folder that only you can look into");
  return *folder / (std::string(kHeldPrefix) + std::string(sha256.substr(0, kDigits)));
}

bool copies_are_held() {
  const auto folder = cache_folder();
  if (!folder) return false;
  std::error_code failed;
  for (std::filesystem::directory_iterator entry(*folder, failed), end; !failed && entry != end;
       entry.increment(failed))
    if (entry->path().filename().string().starts_with(kHeldPrefix)) return true;
  return false;
}

void release_copy(std::string_view sha256) {
  const auto path = held_copy_path(sha256);
  if (!path) return;
  if (auto held = host::HeldCopy::find(*path)) (void)held->release();
}

}  // namespace vitrine::session
