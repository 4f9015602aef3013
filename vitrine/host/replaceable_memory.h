// What has to hold before memory of a process can be replaced by a file's (memory_replacement.h),
// and how the process had it mapped.
//
// Thread contract: independent reads of procfs. No effect on the process.
#pragma once

#include <span>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/host/host_range.h"

namespace vitrine::host {

// A part of a range that is one mapping of its process.
struct ReplaceablePiece {
  std::size_t range = 0;  // index
  base::HostVirtual start;
  std::uint64_t size = 0;    // bytes
  std::vector<int> advices;  // of madvise(2), to be given again for what takes its place

  friend bool operator==(const ReplaceablePiece&, const ReplaceablePiece&) = default;
};

// Memory that the host's kernel holds on to (RDMA, registered buffers of io_uring) would be written
// to after it was replaced. Error: `unsupported` where there is some (VmPin).
base::Result<void> nothing_pinned(pid_t pid);

// The pieces of the ranges, ascending. Errors: `unsupported` where they are memory that cannot be
// replaced unnoticed (shared, of reserved huge pages, locked, watched by userfaultfd, pinned), or
// not mapped readable and writable throughout; as vm_flags.
base::Result<std::vector<ReplaceablePiece>> replaceable_pieces(pid_t pid,
                                                               std::span<const HostRange> ranges);

}  // namespace vitrine::host
