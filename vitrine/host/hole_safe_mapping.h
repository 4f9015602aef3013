// A read-only mapping of another process's shared memory that cannot change it.
//
// Reading a hole of a memfd or a /dev/shm file through an ordinary mapping makes the kernel
// allocate a page there. Here the mapping is registered with userfaultfd for missing pages, with
// UFFD_FEATURE_SIGBUS: touching a hole raises SIGBUS, which memory::load reports as "not
// populated", and the hole stays. This holds without a race: a page that is given back (a balloon)
// between two loads faults on the second. The mapping is private and read-only, so that not even a
// bug could write through it.
// Source: Linux Documentation/admin-guide/mm/userfaultfd.rst.
//
// Thread contract: immutable after creation; reading from several threads is fine.
// Effect on the guest: none.
#pragma once

#include <cstddef>
#include <cstdint>

#include "vitrine/base/file_descriptor.h"
#include "vitrine/base/result.h"

namespace vitrine::host {

class HoleSafeMapping {
 public:
  // Maps `size` bytes of `file` from `offset` on, both multiples of the page size; `file` is open
  // for reading and need not stay open. Error `unsupported` or `denied` where this host offers no
  // userfaultfd for such a file.
  static base::Result<HoleSafeMapping> create(int file, std::uint64_t offset, std::uint64_t size);

  HoleSafeMapping(HoleSafeMapping&& other) noexcept;
  HoleSafeMapping& operator=(HoleSafeMapping&& other) noexcept;
  HoleSafeMapping(const HoleSafeMapping&) = delete;
  HoleSafeMapping& operator=(const HoleSafeMapping&) = delete;
  ~HoleSafeMapping();

  const std::byte* bytes() const { return bytes_; }
  std::uint64_t size() const { return size_; }

 private:
  HoleSafeMapping() = default;

  const std::byte* bytes_ = nullptr;
  std::uint64_t size_ = 0;
  base::FileDescriptor guard_;  // the userfaultfd; the guard lasts as long as it is open
};

}  // namespace vitrine::host
