// Which lock of a file (flock(2), fcntl(2)) a sleeping task waits for, and which process has it.
//
// The task's entry, on its stack, is the one in its lock's own wait queue; the lock names the one
// that blocks it, and is in that one's list of those that it blocks (fs/locks.c).
//
// Thread contract: as the reader.
#pragma once

#include <optional>
#include <span>

#include "vitrine/kernel/type_lookup.h"
#include "vitrine/views/lock_waiters.h"
#include "vitrine/views/reader.h"

namespace vitrine::views {

class FileLockWaits {
 public:
  struct Found {
    base::GuestVirtual lock;  // that is in the way
    std::int32_t owner = 0;   // process id; not positive for locks of an open file description
  };

  // Resolves what this kernel has; what it has not is not found.
  static FileLockWaits attach(const kernel::TypeLookup& types);

  // By the entries of wait queues on the task's stack.
  std::optional<Found> find(Reader& reader, std::span<const base::GuestVirtual> entries) const;

 private:
  bool known_ = false;
  std::uint32_t blocker_ = 0, blocked_ = 0, pid_ = 0, queue_ = 0;  // of a lock
  std::uint32_t entry_ = 0;                                        // of wait_queue_entry, its list
};

}  // namespace vitrine::views
