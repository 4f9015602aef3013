#include "vitrine/views/lock_waiters.h"

#include <array>
#include <string>

namespace vitrine::views {

std::string_view name(OwnerSource source) {
  constexpr std::array<std::string_view, 7> kNames{
      "", "lock", "last reader", "last holder", "user memory", "other end", "child"};
  return kNames.at(static_cast<std::size_t>(source));
}

// Mutexes, rwsems and semaphores have a pointer to their first waiter instead of a list's head
// since 7.1: the member tells.
LockWaiters::Shape LockWaiters::shape(const kernel::TypeLookup& types, std::string_view waiter,
                                      std::string_view task, std::string_view list,
                                      std::string_view lock, std::string_view head) {
  Shape found;
  Resolver at(types);
  found.headed = types.has_member(lock, head);
  found.task = at(waiter, task);
  found.list = at(waiter, list);
  found.head = at(lock, found.headed ? head : "first_waiter");
  found.known = !at.error();
  return found;
}

LockWaiters LockWaiters::attach(const kernel::TypeLookup& types) {
  LockWaiters locks;
  locks.mutex_ = shape(types, "mutex_waiter", "task", "list", "mutex", "wait_list");
  locks.rwsem_ = shape(types, "rwsem_waiter", "task", "list", "rw_semaphore", "wait_list");
  locks.semaphore_ = shape(types, "semaphore_waiter", "task", "list", "semaphore", "wait_list");
  locks.completion_ =
      shape(types, "swait_queue", "task", "task_list", "completion", "wait.task_list");
  locks.percpu_ =
      shape(types, "wait_queue_entry", "private", "entry", "percpu_rw_semaphore", "waiters.head");
  locks.queue_ = shape(types, "wait_queue_entry", "private", "entry", "wait_queue_head", "head");
  Resolver at(types);
  locks.mutex_owner_ = at("mutex", "owner");
  locks.rwsem_owner_ = at("rw_semaphore", "owner");
  locks.rwsem_count_ = at("rw_semaphore", "count");
  locks.rwsem_kind_ = at("rwsem_waiter", "type");
  if (at.error()) locks.mutex_.known = locks.rwsem_.known = false;
  if (types.has_member("semaphore", "last_holder"))
    locks.semaphore_holder_ = at("semaphore", "last_holder");
  // A pointer to the waiter where mutexes are debugged until 6.16; then to the mutex
  // (a4f0b6fef4b0).
  for (const char* member : {"blocked_on", "blocker"})
    if (types.has_member("task_struct", member)) locks.named_.push_back(at("task_struct", member));
  if (!types.has_member("task_struct", "pi_blocked_on")) return locks;
  Resolver rt(types);
  const std::uint32_t waiter = rt("task_struct", "pi_blocked_on");
  locks.rt_task_ = rt("rt_mutex_waiter", "task");
  locks.rt_lock_ = rt("rt_mutex_waiter", "lock");
  // A structure of its own since 5.15 (830e6acc8a1c).
  locks.rt_owner_ =
      rt(types.has_member("rt_mutex_base", "owner") ? "rt_mutex_base" : "rt_mutex", "owner");
  if (!rt.error()) locks.rt_waiter_ = waiter;
  return locks;
}

const LockWaiters::Shape* LockWaiters::shape_of(WaitKind kind) const {
  switch (kind) {
    case WaitKind::mutex:
      return &mutex_;
    case WaitKind::rwsem_read:
    case WaitKind::rwsem_write:
      return &rwsem_;
    case WaitKind::semaphore:
      return &semaphore_;
    case WaitKind::completion:
      return &completion_;
    case WaitKind::percpu_rwsem:
      return &percpu_;
    default:
      return nullptr;
  }
}

}  // namespace vitrine::views
