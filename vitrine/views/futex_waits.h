// Which futex a sleeping task waits for, and who may have it.
//
// The task's own futex_q, on its stack, is linked into a bucket of the kernel's hash table and
// tells process and address. The kernel does not know who has a plain futex: what is said of that
// comes from the process's memory by convention, and is a hint. The futex word holds the owner's id
// where the futex is robust or inherits priorities (Documentation/locking/robust-futex-ABI.rst);
// glibc's mutexes keep it two words further on (nptl, struct __pthread_mutex_s: __lock, __count,
// __owner).
//
// Thread contract: as the reader.
#pragma once

#include <array>
#include <cstring>
#include <optional>

#include "vitrine/kernel/type_lookup.h"
#include "vitrine/views/lock_waiters.h"
#include "vitrine/views/reader.h"
#include "vitrine/views/resolver.h"

namespace vitrine::views {

class FutexWaits {
 public:
  struct Found {
    base::GuestVirtual address = {};  // in the process; 0 where the futex is shared through a file
    std::uint32_t owner = 0;          // id as its pid namespace counts; 0: nothing tells
  };

  // Resolves what this kernel has; what it has not is not found.
  static FutexWaits attach(const kernel::TypeLookup& types);

  std::optional<Found> find(Reader& reader, base::GuestVirtual task, base::GuestVirtual mm,
                            const StackPart& stack) const;

  // The id of a task as its own pid namespace counts; 0 where it can't be read.
  std::uint32_t own_id(Reader& reader, base::GuestVirtual task) const;

 private:
  static constexpr std::uint32_t kMaxLevel = 32;  // MAX_PID_NS_LEVEL

  std::uint32_t owner_in(Reader& reader, base::GuestVirtual mm, base::GuestVirtual address) const;

  bool known_ = false;
  std::uint32_t task_ = 0, node_ = 0, page_ = 0, offset_ = 0;  // of futex_q
  std::uint32_t pgd_ = 0;
  std::uint32_t pid_ = 0, level_ = 0, numbers_ = 0, number_size_ = 0, number_ = 0;
};

}  // namespace vitrine::views
