// The kernel's locks and sequence counts that guard what a view reads, as views declare them: who
// changes what they guard holds them meanwhile. consistency/ looks at them; views never do.
//
// Thread contract: plain values.
#pragma once

#include <cstdint>
#include <string_view>

#include "vitrine/base/address.h"

namespace vitrine::views {

enum class LockKind : std::uint8_t {
  spinlock,   // spinlock_t
  rwlock,     // rwlock_t
  semaphore,  // struct rw_semaphore
  mutex,      // struct mutex
  seqlock,    // seqlock_t
};

// A lock of the whole kernel.
struct GlobalGuard {
  LockKind kind = LockKind::spinlock;
  std::string_view symbol;
  bool optional = false;  // some kernels have none, and need none
};

// A lock of one object that the last collection read.
struct ObjectGuard {
  LockKind kind = LockKind::spinlock;
  std::string_view name;     // of the lock; lives as long as the program
  base::GuestVirtual at;     // of the lock itself
  std::int64_t process = 0;  // whose object it is
};

}  // namespace vitrine::views
