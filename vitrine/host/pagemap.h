// Which pages of a process are populated, from /proc/PID/pagemap
// (Documentation/admin-guide/mm/pagemap.rst).
//
// Thread contract: one thread at a time per object. Cost: 8 bytes read per page, about 9 ms for
// 1 GiB. No effect on the guest: nothing is populated by looking.
#pragma once

#include <cstdint>
#include <span>

#include "vitrine/base/address.h"
#include "vitrine/base/file_descriptor.h"
#include "vitrine/base/result.h"
#include "vitrine/host/proc_root.h"

namespace vitrine::host {

inline constexpr std::uint64_t kHostPage = 4096;  // x86-64

// One page as its process's page table has it.
class PagemapEntry {
 public:
  bool present() const { return (bits_ >> 63 & 1) != 0; }
  bool swapped() const { return (bits_ >> 62 & 1) != 0; }
  // A page of a file or of shared memory. In a private mapping: one not yet written to.
  bool file_or_shared() const { return (bits_ >> 61 & 1) != 0; }
  // Where the page is: its frame, or its place in the swap space. Without CAP_SYS_ADMIN the host's
  // kernel tells 0 for every page.
  std::uint64_t location() const { return bits_ & ((std::uint64_t{1} << 55) - 1); }
  // Whether it can be read without being allocated. False for a page of a shared mapping that only
  // other processes touched so far: ask the file itself (SEEK_DATA) about those.
  bool populated() const { return present() || swapped(); }

 private:
  friend class Pagemap;
  std::uint64_t bits_ = 0;
};
static_assert(sizeof(PagemapEntry) == 8);

class Pagemap {
 public:
  // Errors: `denied` (see rights.h), `gone`.
  static base::Result<Pagemap> open(pid_t pid, const ProcRoot& proc = {});

  // One entry per page from `start`, which is page-aligned; unmapped pages are not populated.
  // Errors: `invalid` for an unaligned start, `gone` where the process ended.
  base::Result<void> read(base::HostVirtual start, std::span<PagemapEntry> entries);

 private:
  explicit Pagemap(base::FileDescriptor file) : file_(std::move(file)) {}

  base::FileDescriptor file_;
};

}  // namespace vitrine::host
