// Copies pages of a process into a file, those only that the process has, so that holes stay holes.
//
// Thread contract: one thread at a time per object. Effect on the process: none; what it never
// touched is not read. Cost: some 0.5 s for each GiB copied, 9 ms for each that is not populated.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "vitrine/base/file_descriptor.h"
#include "vitrine/base/result.h"
#include "vitrine/host/host_range.h"
#include "vitrine/host/pagemap.h"

namespace vitrine::host {

// The most that a transfer may do while somebody stands still for it.
struct TransferLimits {
  std::uint64_t pages = std::numeric_limits<std::uint64_t>::max();
  std::chrono::steady_clock::time_point until = std::chrono::steady_clock::time_point::max();
};

class PageTransfer {
 public:
  // Errors: as Pagemap::open.
  static base::Result<PageTransfer> open(pid_t from);

  // Copies every populated page of `range` that is not all zero into `file`, where the range begins
  // at 0 and nothing was written yet; how many it copied. Errors: `gone`, `unreadable` where a page
  // cannot be read any more, write(2)'s own.
  base::Result<std::uint64_t> copy_populated(const HostRange& range, int file);

  // The same for those pages that differ from what `earlier` has, a copy-on-write copy of the
  // process that was transferred before; the file is then as the process is. Both must stand still.
  // Errors besides: as FrameComparison; `timeout` where a limit is passed, looked at every 2 MiB.
  base::Result<std::uint64_t> copy_changed(const HostRange& range, pid_t earlier, int file,
                                           const TransferLimits& limits = {});

  // How many those are; about, where the process runs on.
  base::Result<std::uint64_t> count_changed(const HostRange& range, pid_t earlier);

  // How many pages of the range the process has.
  base::Result<std::uint64_t> count_populated(const HostRange& range);

 private:
  PageTransfer(pid_t from, base::FileDescriptor memory, Pagemap pagemap)
      : from_(from), memory_(std::move(memory)), pagemap_(std::move(pagemap)) {}

  base::Result<void> copy_run(base::HostVirtual start, std::uint64_t pages, int file,
                              std::uint64_t offset);
  base::Result<void> write_run(std::uint64_t pages, int file, std::uint64_t offset);
  // Calls `wanted(i, entry)` for each page; runs of those that it wants are copied.
  template <class Wanted>
  base::Result<std::uint64_t> copy_where(base::HostVirtual start, std::uint64_t offset, int file,
                                         const Wanted& wanted);

  pid_t from_;
  base::FileDescriptor memory_;  // /proc/PID/mem
  Pagemap pagemap_;
  std::vector<PagemapEntry> entries_;
  std::vector<std::byte> buffer_;
};

}  // namespace vitrine::host
