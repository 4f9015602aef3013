#include "tests/synthetic/locks.h"

namespace vitrine::synthetic {
namespace {

// Bits as in kernel/locking and include/linux/rwbase_rt.h.
constexpr std::uint64_t reader_bias = 1U << 31;
constexpr std::uint64_t writer_bias = 1U << 30;
constexpr std::uint64_t queued_writer = 0xff;
constexpr std::uint64_t queued_reader = 0x200;
constexpr std::uint64_t semaphore_reader = 0x100;
constexpr std::uint64_t some_task = 0xffff888001234540;
constexpr std::uint64_t has_waiters = 1;

}  // namespace

Locks::Locks(Kernel& kernel) : kernel_(kernel) {
  if (!real_time()) return;
  initialise_rwlock(kernel.symbol("tasklist_lock"));
  initialise_semaphore(kernel.symbol("namespace_sem"));
}

void Locks::initialise_rwlock(GuestVirtual at) { write_unlock(at); }
void Locks::initialise_semaphore(GuestVirtual at) { up_write(at); }

void Locks::write_lock(GuestVirtual at) {
  if (real_time()) return set(at, "<rwlock_t>", "rwbase.readers.counter", writer_bias);
  set(at, "<rwlock_t>", "raw_lock.cnts.counter", queued_writer);
}
void Locks::write_unlock(GuestVirtual at) {
  if (real_time()) return set(at, "<rwlock_t>", "rwbase.readers.counter", reader_bias);
  set(at, "<rwlock_t>", "raw_lock.cnts.counter", 0);
}
void Locks::read_lock(GuestVirtual at) {
  if (real_time()) return set(at, "<rwlock_t>", "rwbase.readers.counter", reader_bias + 1);
  set(at, "<rwlock_t>", "raw_lock.cnts.counter", queued_reader);
}
void Locks::spin_lock(GuestVirtual at) {
  if (real_time()) return set(at, "spinlock", "lock.owner", some_task | has_waiters);
  set(at, "spinlock", "rlock.raw_lock.val.counter", 1);
}
void Locks::spin_unlock(GuestVirtual at) {
  if (real_time()) return set(at, "spinlock", "lock.owner", 0);
  set(at, "spinlock", "rlock.raw_lock.val.counter", 0);
}
void Locks::down_write(GuestVirtual at) {
  if (real_time()) return set(at, "rw_semaphore", "rwbase.readers.counter", writer_bias);
  set(at, "rw_semaphore", "count.counter", 1);
}
void Locks::up_write(GuestVirtual at) {
  if (real_time()) return set(at, "rw_semaphore", "rwbase.readers.counter", reader_bias);
  set(at, "rw_semaphore", "count.counter", 0);
}
void Locks::down_read(GuestVirtual at) {
  if (real_time()) return set(at, "rw_semaphore", "rwbase.readers.counter", reader_bias + 1);
  set(at, "rw_semaphore", "count.counter", semaphore_reader);
}
void Locks::mutex_lock(GuestVirtual at) {
  set(at, "mutex", real_time() ? "rtmutex.owner" : "owner.counter", some_task);
}
void Locks::mutex_unlock(GuestVirtual at) {
  set(at, "mutex", real_time() ? "rtmutex.owner" : "owner.counter", 0);
}
void Locks::write_sequence(GuestVirtual at) {
  const char* member = "seqcount.seqcount.sequence";
  set(at, "<seqlock_t>", member, kernel_.value(at, "<seqlock_t>", member) + 1);
}

}  // namespace vitrine::synthetic
