#include "vitrine/host/hole_safe_mapping.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace vitrine::host {
namespace {

// Holes of files on tmpfs and hugetlbfs are allocated by reading; those of a disk's file system
// are not: at most the page cache holds zeros for a while.
bool holes_fill_when_read(int file) {
  struct statfs info {};
  if (fstatfs(file, &info) != 0) return true;
  return info.f_type == TMPFS_MAGIC || info.f_type == HUGETLBFS_MAGIC;
}

base::FileDescriptor open_user_fault() {
  auto fd = static_cast<int>(syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY));
  // Kernels before 5.11 do not know the flag; there a privileged caller is needed anyway.
  if (fd < 0 && errno == EINVAL) fd = static_cast<int>(syscall(SYS_userfaultfd, O_CLOEXEC));
  return base::FileDescriptor(fd);
}

base::Result<base::FileDescriptor> guard_holes(const void* at, std::uint64_t size) {
  const std::string remedy =
      "use --technique process-vm, or run where userfaultfd is allowed (CONFIG_USERFAULTFD, and "
      "no seccomp profile that blocks it)";
  base::FileDescriptor guard = open_user_fault();
  if (!guard.valid())
    return base::fail_errno(errno, "userfaultfd", "cannot keep holes in the VM's memory unread",
                            remedy);
  uffdio_api api{};
  api.api = UFFD_API;
  api.features = UFFD_FEATURE_SIGBUS | UFFD_FEATURE_MISSING_SHMEM | UFFD_FEATURE_MISSING_HUGETLBFS;
  if (ioctl(guard.get(), UFFDIO_API, &api) != 0)
    return base::fail_errno(errno, "UFFDIO_API", "this host's userfaultfd is too old", remedy);
  uffdio_register request{};
  request.range.start = reinterpret_cast<std::uintptr_t>(at);
  request.range.len = size;
  request.mode = UFFDIO_REGISTER_MODE_MISSING;
  if (ioctl(guard.get(), UFFDIO_REGISTER, &request) != 0)
    return base::fail_errno(errno, "UFFDIO_REGISTER", "cannot keep holes in the VM's memory unread",
                            remedy);
  return guard;
}

}  // namespace

base::Result<HoleSafeMapping> HoleSafeMapping::create(int file, std::uint64_t offset,
                                                      std::uint64_t size) {
  void* at =
      mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_NORESERVE, file, static_cast<off_t>(offset));
  if (at == MAP_FAILED) return base::fail_errno(errno, "mmap", "cannot map the VM's memory");
  HoleSafeMapping mapping;
  mapping.bytes_ = static_cast<const std::byte*>(at);
  mapping.size_ = size;
  // The guest's memory belongs in no core dump of ours.
  madvise(at, size, MADV_DONTDUMP);
  if (!holes_fill_when_read(file)) return mapping;
  auto guard = guard_holes(at, size);
  if (!guard) return base::fail(guard.error());
  mapping.guard_ = std::move(*guard);
  return mapping;
}

HoleSafeMapping::HoleSafeMapping(HoleSafeMapping&& other) noexcept
    : bytes_(std::exchange(other.bytes_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      guard_(std::move(other.guard_)) {}

HoleSafeMapping& HoleSafeMapping::operator=(HoleSafeMapping&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  std::swap(size_, other.size_);
  std::swap(guard_, other.guard_);
  return *this;
}

HoleSafeMapping::~HoleSafeMapping() {
  if (bytes_ != nullptr) munmap(const_cast<std::byte*>(bytes_), size_);
}

}  // namespace vitrine::host
