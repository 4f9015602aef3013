#include "vitrine/host/proc_root.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

#include "vitrine/base/file_descriptor.h"

namespace vitrine::host {

std::string ProcRoot::of(pid_t pid, std::string_view entry) const {
  return fmt::format("{}/{}/{}", path, pid, entry);
}

std::string ProcRoot::of(std::string_view entry) const { return fmt::format("{}/{}", path, entry); }

base::Result<std::string> read_file(const std::string& path, std::size_t limit) {
  const base::FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return base::fail_errno(errno, "open", "cannot open " + path);
  constexpr std::size_t kStep = 64 << 10;
  std::string text;
  std::size_t used = 0;
  while (true) {
    text.resize(used + kStep);
    const ssize_t got = ::read(fd.get(), text.data() + used, kStep);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::fail_errno(errno, "read", "cannot read " + path);
    used += static_cast<std::size_t>(got);
    if (used > limit) {
      return base::fail(base::Code::unsupported,
                        fmt::format("{} is larger than {} bytes", path, limit));
    }
    if (got == 0) break;
  }
  text.resize(used);
  return text;
}

base::Result<std::string> read_link(const std::string& path) {
  std::string target(PATH_MAX, '\0');
  const ssize_t got = ::readlink(path.c_str(), target.data(), target.size());
  if (got < 0) return base::fail_errno(errno, "readlink", "cannot read the link " + path);
  target.resize(static_cast<std::size_t>(got));
  return target;
}

}  // namespace vitrine::host
