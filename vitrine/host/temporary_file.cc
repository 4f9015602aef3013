#include "vitrine/host/temporary_file.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace vitrine::host {

namespace {

constexpr const char* kRemedy = "set TMPDIR to a folder on a file system with more space";

// Where the file system has no unnamed files: one whose name goes at once.
base::FileDescriptor unlinked_file(const std::string& folder) {
  std::string name = folder + "/vitrine-XXXXXX";
  base::FileDescriptor file(mkostemp(name.data(), O_CLOEXEC));
  if (file.valid()) unlink(name.c_str());
  return file;
}

}  // namespace

std::string temporary_folder() {
  const char* folder = std::getenv("TMPDIR");
  return folder != nullptr && *folder == '/' ? folder : "/var/tmp";
}

base::Result<base::FileDescriptor> temporary_file(std::uint64_t space) {
  const std::string folder = temporary_folder();
  base::FileDescriptor file(open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!file.valid() && (errno == EOPNOTSUPP || errno == EISDIR)) file = unlinked_file(folder);
  if (!file.valid())
    return base::fail_errno(errno, "open", "cannot make a temporary file in " + folder,
                            "set TMPDIR to a folder that can be written");
  struct statvfs about {};
  if (fstatvfs(file.get(), &about) != 0)
    return base::fail_errno(errno, "fstatvfs", "cannot tell how much space is left in " + folder);
  const std::uint64_t free = std::uint64_t{about.f_bavail} * about.f_frsize;
  if (free < space)
    return base::fail(base::Code::unreadable,
                      folder + " has " + std::to_string(free >> 20) + " MiB free, but up to " +
                          std::to_string(space >> 20) + " MiB are needed",
                      kRemedy);
  return file;
}

}  // namespace vitrine::host
