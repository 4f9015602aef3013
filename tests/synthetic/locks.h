// The locks of a synthetic kernel, as writers and readers hold them.
//
// Thread contract: one thread at a time.
#pragma once

#include "tests/synthetic/kernel.h"

namespace vitrine::synthetic {

class Locks {
 public:
  explicit Locks(Kernel& kernel);

  // Puts a lock into the state in which nobody holds it: what zeroed memory is, but with
  // PREEMPT_RT.
  void initialise_rwlock(GuestVirtual at);
  void initialise_semaphore(GuestVirtual at);

  void write_lock(GuestVirtual at);  // rwlock_t
  void write_unlock(GuestVirtual at);
  void read_lock(GuestVirtual at);
  void spin_lock(GuestVirtual at);
  void spin_unlock(GuestVirtual at);
  void down_write(GuestVirtual at);  // struct rw_semaphore
  void up_write(GuestVirtual at);
  void down_read(GuestVirtual at);
  void mutex_lock(GuestVirtual at);
  void mutex_unlock(GuestVirtual at);
  // seqlock_t: both count up.
  void write_sequence(GuestVirtual at);

 private:
  bool real_time() const { return kernel_.options().locks == LockForms::real_time; }
  void set(GuestVirtual at, const char* type, const char* member, std::uint64_t value) {
    kernel_.set(at, type, member, value);
  }

  Kernel& kernel_;
};

}  // namespace vitrine::synthetic
