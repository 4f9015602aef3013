#include "vitrine/host/write_protection.h"

#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <sstream>
#include <vector>

#include "vitrine/base/file_descriptor.h"

namespace vitrine::host {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostText = 64 << 20;

// "START-END perms …", the first line of a mapping.
bool parse_range(const std::string& line, uffdio_range& range) {
  const char* end = line.data() + line.size();
  std::uint64_t start = 0;
  std::uint64_t stop = 0;
  const auto first = std::from_chars(line.data(), end, start, 16);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '-') return false;
  const auto second = std::from_chars(first.ptr + 1, end, stop, 16);
  if (second.ec != std::errc() || stop < start) return false;
  range = {start, stop - start};
  return true;
}

std::vector<uffdio_range> protected_ranges(const std::string& smaps) {
  std::vector<uffdio_range> ranges;
  uffdio_range current{};
  std::istringstream lines(smaps);
  for (std::string line; std::getline(lines, line);) {
    if (parse_range(line, current)) continue;
    if (line.starts_with("VmFlags:") && line.find(" uw") != std::string::npos)
      ranges.push_back(current);
  }
  return ranges;
}

std::vector<int> user_faults(pid_t pid, const ProcRoot& proc) {
  std::vector<int> numbers;
  std::error_code error;
  for (fs::directory_iterator entry(proc.of(pid, "fd"), error), end; !error && entry != end;
       entry.increment(error)) {
    const auto target = read_link(entry->path().string());
    if (!target || *target != "anon_inode:[userfaultfd]") continue;
    const std::string name = entry->path().filename().string();
    int number = -1;
    std::from_chars(name.data(), name.data() + name.size(), number);
    if (number >= 0) numbers.push_back(number);
  }
  return numbers;
}

}  // namespace

base::Result<void> release_write_protection(pid_t pid, const ProcRoot& proc) {
  const auto smaps = read_file(proc.of(pid, "smaps"), kMostText);
  if (!smaps) return base::fail(smaps.error());
  const std::vector<uffdio_range> ranges = protected_ranges(*smaps);
  if (ranges.empty()) return {};
  const base::FileDescriptor process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  for (const int number : user_faults(pid, proc)) {
    const base::FileDescriptor fault(
        static_cast<int>(syscall(SYS_pidfd_getfd, process.get(), number, 0)));
    if (!fault.valid())
      return base::fail_errno(errno, "pidfd_getfd", "cannot release the VM's memory",
                              "run vitrine with sudo");
    // A range of another descriptor's is refused, and its turn comes with that.
    for (uffdio_range range : ranges) {
      ioctl(fault.get(), UFFDIO_UNREGISTER, &range);
      ioctl(fault.get(), UFFDIO_WAKE, &range);
    }
  }
  return {};
}

}  // namespace vitrine::host
