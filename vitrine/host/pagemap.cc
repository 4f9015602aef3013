#include "vitrine/host/pagemap.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "vitrine/host/rights.h"

namespace vitrine::host {

base::Result<Pagemap> Pagemap::open(pid_t pid, const ProcRoot& proc) {
  base::FileDescriptor file(::open(proc.of(pid, "pagemap").c_str(), O_RDONLY | O_CLOEXEC));
  if (file.valid()) return Pagemap(std::move(file));
  if (errno == EACCES || errno == EPERM) return base::fail(explain_denial(pid, proc));
  return base::fail_errno(errno == ENOENT ? ESRCH : errno, "open",
                          "cannot open " + proc.of(pid, "pagemap"));
}

base::Result<void> Pagemap::read(base::HostVirtual start, std::span<PagemapEntry> entries) {
  if (start.value % kHostPage != 0) {
    return base::fail(base::Code::invalid, "the address is not that of a page");
  }
  auto* into = reinterpret_cast<std::byte*>(entries.data());
  std::size_t left = entries.size_bytes();
  auto at = static_cast<off_t>(start.value / kHostPage * sizeof(PagemapEntry));
  while (left > 0) {
    const ssize_t got = ::pread(file_.get(), into, left, at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::fail_errno(errno, "pread", "cannot read the page map of the VMM");
    if (got == 0) {
      return base::fail(base::Code::gone, "the process ended, or has no such address");
    }
    into += got;
    at += got;
    left -= static_cast<std::size_t>(got);
  }
  return {};
}

}  // namespace vitrine::host
