#include "vitrine/images/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <random>

namespace vitrine::images {
namespace {

using base::Code;
using base::fail;
using base::fail_errno;

constexpr std::uint64_t kStatBlock = 512;  // the unit of st_blocks, whatever the file system's

base::Error name_taken(const std::filesystem::path& path) {
  return {Code::invalid, path.string() + " exists", "use --force to replace it"};
}

base::Result<void> check_target(int folder, const std::filesystem::path& path,
                                OutputFile::Existing existing) {
  const std::string name = path.filename().string();
  if (name.empty() || name == "." || name == "..")
    return fail(Code::invalid, path.string() + " names no file");
  struct stat info {};
  if (fstatat(folder, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return {};
    return fail_errno(errno, "fstatat", "cannot look for " + path.string());
  }
  if (!S_ISREG(info.st_mode))
    return fail(Code::invalid, path.string() + " exists and is no regular file",
                "choose another name");
  if (existing == OutputFile::Existing::keep) return fail(name_taken(path));
  return {};
}

}  // namespace

base::Result<OutputFile> OutputFile::create(const std::filesystem::path& path, Existing existing) {
  OutputFile output;
  output.path_ = path;
  output.existing_ = existing;
  const std::string folder = path.has_parent_path() ? path.parent_path().string() : ".";
  output.folder_ = base::FileDescriptor(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!output.folder_.valid()) return fail_errno(errno, "open", "cannot open the folder " + folder);
  if (auto checked = check_target(output.folder_.get(), path, existing); !checked)
    return fail(checked.error());
  output.file_ =
      base::FileDescriptor(openat(output.folder_.get(), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (output.file_.valid()) return output;
  if (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT)
    return fail(Code::unsupported,
                "the file system of " + folder +
                    " cannot hold a file without a name (O_TMPFILE), so that an interrupted "
                    "snapshot would leave a half image there",
                "write to another file system, e.g. ext4, xfs, btrfs or tmpfs, and copy the image");
  return fail_errno(errno, "openat", "cannot write to the folder " + folder);
}

base::Result<void> OutputFile::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t done =
        pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0)
      return fail_errno(done < 0 ? errno : EIO, "pwrite", "cannot write " + path_.string(),
                        "nothing of it was kept");
    bytes = bytes.subspan(static_cast<std::size_t>(done));
    offset += static_cast<std::uint64_t>(done);
  }
  return {};
}

base::Result<void> OutputFile::read(std::uint64_t offset, std::span<std::byte> into) const {
  while (!into.empty()) {
    const ssize_t done = pread(file_.get(), into.data(), into.size(), static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return fail_errno(errno, "pread", "cannot read back " + path_.string());
    if (done == 0) return fail(Code::inconsistent, path_.string() + " is shorter than was written");
    into = into.subspan(static_cast<std::size_t>(done));
    offset += static_cast<std::uint64_t>(done);
  }
  return {};
}

base::Result<void> OutputFile::set_size(std::uint64_t bytes) {
  if (ftruncate(file_.get(), static_cast<off_t>(bytes)) != 0)
    return fail_errno(errno, "ftruncate", "cannot give " + path_.string() + " its size");
  return {};
}

base::Result<std::uint64_t> OutputFile::allocated() const {
  struct stat info {};
  if (fstat(file_.get(), &info) != 0) return fail_errno(errno, "fstat", "cannot look at the image");
  return static_cast<std::uint64_t>(info.st_blocks) * kStatBlock;
}

// Through /proc, since linkat() by descriptor alone needs CAP_DAC_READ_SEARCH.
base::Result<void> OutputFile::link(const std::filesystem::path& name) const {
  const std::string source = "/proc/self/fd/" + std::to_string(file_.get());
  if (linkat(AT_FDCWD, source.c_str(), folder_.get(), name.c_str(), AT_SYMLINK_FOLLOW) == 0)
    return {};
  if (errno == EEXIST) return fail(name_taken(path_));
  return fail_errno(errno, "linkat", "cannot give the image its name " + path_.string());
}

// A link cannot take the place of a file, so the whole image has a second name for a moment.
base::Result<void> OutputFile::replace() const {
  const std::filesystem::path other =
      "." + path_.filename().string() + "." + std::to_string(std::random_device{}());
  if (auto linked = link(other); !linked) return linked;
  const std::filesystem::path name = path_.filename();
  if (renameat(folder_.get(), other.c_str(), folder_.get(), name.c_str()) == 0) return {};
  const int error = errno;
  unlinkat(folder_.get(), other.c_str(), 0);
  return fail_errno(error, "renameat", "cannot replace " + path_.string());
}

base::Result<void> OutputFile::sync() {
  if (fsync(file_.get()) != 0)
    return fail_errno(errno, "fsync", "cannot bring " + path_.string() + " to the disk");
  return {};
}

base::Result<void> OutputFile::publish() {
  auto named = link(path_.filename());
  const bool taken = !named && named.error().code == Code::invalid;
  return taken && existing_ == Existing::replace ? replace() : named;
}

base::Result<void> OutputFile::sync_name() {
  if (fsync(folder_.get()) != 0)
    return fail_errno(errno, "fsync", "cannot bring the name " + path_.string() + " to the disk");
  return {};
}

}  // namespace vitrine::images
