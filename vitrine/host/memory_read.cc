#include "vitrine/host/memory_read.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "vitrine/host/rights.h"

namespace vitrine::host {
namespace {

// Marks the pieces that `transferred` bytes fill and returns how many are dealt with: these, and
// the one at which the transfer stopped, if it did.
std::size_t settle(std::span<RemoteRead> pieces, std::size_t transferred) {
  std::size_t done = 0;
  while (done < pieces.size() && transferred >= pieces[done].into.size()) {
    transferred -= pieces[done].into.size();
    pieces[done++].ok = true;
  }
  return std::min(done + 1, pieces.size());
}

}  // namespace

base::Result<std::size_t> ProcessVmReader::read_batch(std::span<RemoteRead> pieces) {
  const std::size_t count = std::min(pieces.size(), local_.size());
  for (std::size_t i = 0; i < count; ++i) {
    const RemoteRead& piece = pieces[i];
    local_[i] = {piece.into.data(), piece.into.size()};
    // NOLINTNEXTLINE(performance-no-int-to-ptr): an address of the other process
    remote_[i] = {reinterpret_cast<void*>(piece.from.value), piece.into.size()};
  }
  ++calls_;
  const ssize_t got = ::process_vm_readv(pid_, local_.data(), count, remote_.data(), count, 0);
  if (got >= 0) return settle(pieces.first(count), static_cast<std::size_t>(got));
  if (errno == EFAULT) return settle(pieces.first(count), 0);
  if (errno == EPERM) return base::fail(explain_denial(pid_));
  return base::fail_errno(errno, "process_vm_readv", "cannot read the memory of the VMM");
}

base::Result<void> ProcessVmReader::read(std::span<RemoteRead> pieces) {
  for (RemoteRead& piece : pieces) piece.ok = false;
  while (!pieces.empty()) {
    const auto done = read_batch(pieces);
    if (!done) return base::fail(done.error());
    pieces = pieces.subspan(*done);
  }
  return {};
}

base::Result<ProcMemReader> ProcMemReader::open(pid_t pid, const ProcRoot& proc) {
  base::FileDescriptor file(::open(proc.of(pid, "mem").c_str(), O_RDONLY | O_CLOEXEC));
  if (file.valid()) return ProcMemReader(std::move(file));
  if (errno == EACCES || errno == EPERM) return base::fail(explain_denial(pid, proc));
  return base::fail_errno(errno == ENOENT ? ESRCH : errno, "open",
                          "cannot open " + proc.of(pid, "mem"));
}

base::Result<void> ProcMemReader::read(std::span<RemoteRead> pieces) {
  for (RemoteRead& piece : pieces) piece.ok = false;
  for (RemoteRead& piece : pieces) {
    ++calls_;
    const ssize_t got = ::pread(file_.get(), piece.into.data(), piece.into.size(),
                                static_cast<off_t>(piece.from.value));
    piece.ok = got >= 0 && static_cast<std::size_t>(got) == piece.into.size();
    // End of file, where there is always an error or a byte else: the address space is gone.
    if (got == 0 && !piece.into.empty()) return base::fail(base::Code::gone, "the VMM ended");
    if (got < 0 && errno != EIO && errno != EFAULT) {
      return base::fail_errno(errno, "pread", "cannot read the memory of the VMM");
    }
  }
  return {};
}

base::Result<std::uint64_t> merged_pages(pid_t pid, const ProcRoot& proc) {
  const auto text = read_file(proc.of(pid, "ksm_merging_pages"));
  if (!text && text.error().code == base::Code::denied) return base::fail(text.error());
  std::uint64_t pages = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), pages);
  return pages;
}

}  // namespace vitrine::host
