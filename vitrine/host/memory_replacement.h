// Puts files that can be mapped by others (memfd_create(2)) in the place of some of a process's
// private memory, while the process runs on and knows nothing of it.
//
// The files are filled from copies of the process (process_copy.h) beforehand; then all threads are
// stopped, what changed since the last copy is copied, and one of them is made to map the files
// where the memory was (remote_calls.h). The memory is moved away first and moved back should
// anything fail, so that the process has either the one or the other.
//
// A keeper (keeper.h) does that. If this process ends before replace(), the keeper closes the files
// in the process; afterwards all stays as it is.
//
// Thread contract: one thread at a time per object. Effect: start() has the process stand still for
// about a millisecond; replace() for what comparing page frames, copying what changed and mapping
// takes. The process must have no I/O under way into the memory that is replaced: what is would be
// lost.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "vitrine/base/file_descriptor.h"
#include "vitrine/base/result.h"
#include "vitrine/host/host_range.h"
#include "vitrine/host/keeper.h"
#include "vitrine/host/process.h"
#include "vitrine/host/replaceable_memory.h"

namespace vitrine::host {

class MemoryReplacement {
 public:
  // What ps shows as the name of who replaces.
  static constexpr const char* kKeeperName = "vitrine-adopt";
  // What the files are called in the process's mappings: /memfd:NAME.
  static constexpr const char* kFileName = "vitrine-ram";

  // Makes the files, empty. Errors: as can_be_replaced, RemoteErrand::begin and memfd_create(2).
  static base::Result<MemoryReplacement> start(const ProcessIdentity& process,
                                               std::span<const HostRange> ranges);

  // Fills the files from a copy of the process, which stands still: with all that it has, or with
  // what differs from an `earlier` copy that they were filled from before. How many pages were
  // copied. Errors: as PageTransfer.
  base::Result<std::uint64_t> fill(pid_t copy, pid_t earlier = 0);

  // About how many pages the process, which runs on, has written to since the copy was taken.
  base::Result<std::uint64_t> changed_since(pid_t copy) const;

  // Whether the memory is still mapped as it was, with the same flags. Cost: reading smaps, some
  // 10 ms for each GiB. Errors: `inconsistent` where it is not; as replaceable_pieces.
  base::Result<void> check() const;

  struct Replaced {
    std::uint64_t stopped_ns = 0;  // how long the process stood still
    std::uint64_t pages = 0;       // that were copied meanwhile
  };
  struct Limits {
    std::uint64_t pages = 0;               // the most that is copied meanwhile
    std::chrono::milliseconds copying{0};  // for comparing page frames and copying what changed
  };
  // Has the files, filled from `copy` last, take the place of the memory. Errors: as
  // RemoteErrand::begin, PageTransfer and mmap(2); the process then has its memory as before.
  base::Result<Replaced> replace(pid_t copy, const Limits& limits);

 private:
  MemoryReplacement(Keeper keeper, pid_t process, std::vector<HostRange> ranges,
                    std::vector<ReplaceablePiece> pieces)
      : keeper_(std::move(keeper)),
        process_(process),
        ranges_(std::move(ranges)),
        pieces_(std::move(pieces)) {}

  Keeper keeper_;
  pid_t process_;
  std::vector<HostRange> ranges_;
  std::vector<ReplaceablePiece> pieces_;     // as they were at the start
  std::vector<base::FileDescriptor> files_;  // one per range
};

}  // namespace vitrine::host
