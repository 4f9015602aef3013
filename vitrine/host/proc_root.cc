#include "vitrine/host/proc_root.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
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
  // Most files of /proc are shorter than this, or come by the page anyway.
  std::array<char, 16 << 10> piece;  // NOLINT(cppcoreguidelines-pro-type-member-init): written next
  std::string text;
  while (true) {
    const ssize_t got = ::read(fd.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::fail_errno(errno, "read", "cannot read " + path);
    text.append(piece.data(), static_cast<std::size_t>(got));
    if (text.size() > limit) {
      return base::fail(base::Code::unsupported,
                        fmt::format("{} is larger than {} bytes", path, limit));
    }
    if (got == 0) return text;
  }
}

base::Result<std::string> read_link(const std::string& path) {
  std::string target(PATH_MAX, '\0');
  const ssize_t got = ::readlink(path.c_str(), target.data(), target.size());
  if (got < 0) return base::fail_errno(errno, "readlink", "cannot read the link " + path);
  target.resize(static_cast<std::size_t>(got));
  return target;
}

}  // namespace vitrine::host
