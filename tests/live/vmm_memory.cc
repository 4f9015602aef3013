#include "tests/live/vmm_memory.h"

#include <sys/stat.h>

#include <filesystem>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>

#include "tests/live/subprocess.h"

namespace vitrine::live {
namespace {

namespace fs = std::filesystem;

std::uint64_t backend_bytes(const fs::path& process) {
  std::uint64_t bytes = 0;
  std::set<ino_t> counted;
  for (const auto& entry : fs::directory_iterator(process / "fd")) {
    std::error_code gone;
    const std::string target = fs::read_symlink(entry.path(), gone).string();
    if (!target.starts_with("/memfd:") && !target.starts_with("/dev/shm/")) continue;
    struct stat info {};
    if (::stat(entry.path().c_str(), &info) != 0 || !counted.insert(info.st_ino).second) continue;
    bytes += static_cast<std::uint64_t>(info.st_blocks) * 512;
  }
  return bytes;
}

}  // namespace

VmmMemory vmm_memory(pid_t vmm) {
  const fs::path process = fs::path("/proc") / std::to_string(vmm);
  std::istringstream lines(read_file(process / "smaps_rollup"));
  VmmMemory memory;
  std::string field;
  while (lines >> field) {
    std::uint64_t kilobytes = 0;
    if (field == "Rss:" && lines >> kilobytes) memory.rss_bytes = kilobytes * 1024;
    if (field == "Pss_Anon:" && lines >> kilobytes) memory.anonymous_bytes = kilobytes * 1024;
    if (field == "Pss_Shmem:" && lines >> kilobytes) memory.shared_bytes = kilobytes * 1024;
  }
  if (memory.rss_bytes == 0) throw std::runtime_error("cannot read smaps_rollup of the VMM");
  memory.backend_bytes = backend_bytes(process);
  return memory;
}

std::ostream& operator<<(std::ostream& stream, const VmmMemory& memory) {
  return stream << "resident " << memory.rss_bytes << ", anonymous " << memory.anonymous_bytes
                << ", shared " << memory.shared_bytes << ", backend files " << memory.backend_bytes
                << " bytes";
}

}  // namespace vitrine::live
