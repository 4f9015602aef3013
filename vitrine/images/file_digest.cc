#include "vitrine/images/file_digest.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <span>
#include <vector>

#include "vitrine/base/file_descriptor.h"
#include "vitrine/images/sha256.h"

namespace vitrine::images {

base::Result<std::string> file_digest(int file, const std::string& name,
                                      const std::function<void(std::uint64_t)>& progress) {
  std::vector<std::byte> buffer(1 << 20);
  Sha256 hash;
  for (off_t at = 0;;) {
    const ssize_t got = pread(file, buffer.data(), buffer.size(), at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::fail_errno(errno, "pread", "cannot read " + name);
    if (got == 0) break;
    hash.update(std::span(buffer).first(static_cast<std::size_t>(got)));
    at += got;
    if (progress) progress(static_cast<std::uint64_t>(at));
  }
  std::string digest = hash.finish();
  if (digest.empty())
    return base::fail(base::Code::unsupported, "OpenSSL offers no SHA-256 on this host");
  return digest;
}

base::Result<std::string> file_digest(const std::filesystem::path& path,
                                      const std::function<void(std::uint64_t)>& progress) {
  const base::FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.valid()) return base::fail_errno(errno, "open", "cannot open " + path.string());
  return file_digest(file.get(), path.string(), progress);
}

}  // namespace vitrine::images
