#include "vitrine/host/replacement_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <string>
#include <utility>

#include "vitrine/host/process.h"

namespace vitrine::host {
namespace {

// The device of all files that memfd_create(2) makes.
base::Result<dev_t> device_of_memory_files() {
  const base::FileDescriptor own(memfd_create("vitrine-device", MFD_CLOEXEC));
  struct stat status {};
  if (own.valid() && fstat(own.get(), &status) == 0) return status.st_dev;
  return base::fail_errno(errno, "memfd_create", "no file in memory can be made");
}

}  // namespace

base::Result<ReplacementFile> open_replacement_file(pid_t process, int number,
                                                    std::optional<ino_t> inode) {
  const auto device = device_of_memory_files();
  if (!device) return base::fail(device.error());
  const std::string path = ProcRoot().of(process, fmt::format("fd/{}", number));
  // Neither opens a device nor needs the right to read: only names the file from here on.
  const base::FileDescriptor found(open(path.c_str(), O_PATH | O_CLOEXEC));
  struct stat status {};
  if (!found.valid() || fstat(found.get(), &status) != 0)
    return base::fail_errno(errno, "open", "the VMM's new file cannot be opened at " + path);
  const bool in_memory =
      S_ISREG(status.st_mode) && status.st_nlink == 0 && status.st_dev == *device;
  if (!in_memory || (inode ? status.st_ino != *inode : status.st_size != 0))
    return base::fail(base::Code::inconsistent,
                      "the VMM put another file in the place of its new memory's, at " + path,
                      "do not trust this VMM");
  base::FileDescriptor file(
      open(fmt::format("/proc/self/fd/{}", found.get()).c_str(), O_RDWR | O_CLOEXEC));
  if (!file.valid())
    return base::fail_errno(errno, "open", "the VMM's new file cannot be opened at " + path);
  return ReplacementFile{std::move(file), status.st_ino};
}

}  // namespace vitrine::host
