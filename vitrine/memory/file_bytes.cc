#include "vitrine/memory/file_bytes.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace vitrine::memory {
namespace {

tl::unexpected<base::Error> ends_too_early(std::string_view what) {
  return base::fail(base::Code::inconsistent, "the " + std::string(what) + " ends too early",
                    "it is truncated or damaged: take it from another copy");
}

}  // namespace

base::Result<void> read_exactly(int file, std::uint64_t offset, std::span<std::byte> into,
                                std::string_view what) {
  if (offset > kFarthest) return ends_too_early(what);
  while (!into.empty()) {
    const ssize_t got = pread(file, into.data(), into.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::fail_errno(errno, "pread", "cannot read the " + std::string(what));
    if (got == 0) return ends_too_early(what);
    into = into.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
  return {};
}

base::Result<std::uint64_t> file_size(int file, std::string_view what) {
  struct stat info {};
  if (fstat(file, &info) != 0)
    return base::fail_errno(errno, "fstat", "cannot look at the " + std::string(what));
  return static_cast<std::uint64_t>(info.st_size);
}

}  // namespace vitrine::memory
