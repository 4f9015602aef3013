// Whether a writer holds one of the kernel's locks, from the lock's own word. A word is understood
// only where this kernel's types have the members of a form that is known here; spinlocks of
// kernels without SMP, which keep no word, are not.
//
// Each form in the kernel's own words, include/linux and kernel/locking:
//   qspinlock      asm-generic/qspinlock_types.h: the lowest byte is 0 while nobody holds it
//   qrwlock        asm-generic/qrwlock.h: the lowest byte is 0 while no writer holds it
//   rw_semaphore   rwsem.c: bit 0 is RWSEM_WRITER_LOCKED (since 5.3, 94a9717b3c40, when `owner`
//                  became an atomic)
//   mutex          mutex.c: the owner, of which three bits are flags
//   seqlock        seqlock.h: the sequence is odd while a writer is at work
// and with PREEMPT_RT (member `rtmutex`, `rwbase` or `lock` in place of the above):
//   spinlock, mutex  rtmutex_common.h: the owner, of which bit 0 says that others wait
//   rwlock, rw_semaphore  rwbase_rt.h: READER_BIAS is taken away by a writer that waits or writes
//
// Thread contract: immutable.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "vitrine/kernel/type_lookup.h"
#include "vitrine/views/guard.h"

namespace vitrine::consistency {

// Where a lock's word is and what it says.
struct LockForm {
  std::uint32_t offset = 0;    // in the lock, bytes
  std::uint32_t size = 4;      // of the word, bytes: 4 or 8
  std::uint64_t free = 0;      // what the bits of `holder` are while no writer holds it
  std::uint64_t holder = 0;    // bits that tell whether one does
  std::uint64_t compared = 0;  // bits that change with every writer: `holder`, or all

  bool held(std::uint64_t word) const { return (word & holder) != free; }
};

class Locks {
 public:
  // Looks every form up in the guest's own types.
  static Locks understand(const kernel::TypeLookup& types);

  // Nothing where this kernel's form of that kind is not understood.
  const std::optional<LockForm>& form(views::LockKind kind) const {
    return forms_[static_cast<std::size_t>(kind)];
  }

 private:
  std::array<std::optional<LockForm>, 5> forms_;
};

}  // namespace vitrine::consistency
