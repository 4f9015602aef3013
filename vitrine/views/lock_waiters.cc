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

std::optional<LockFound> LockWaiters::find(Reader& reader, const TaskIndex& tasks,
                                           base::GuestVirtual task, WaitKind kind,
                                           const StackPart& stack) {
  const Shape* shape = shape_of(kind);
  if (shape == nullptr || !shape->known) return std::nullopt;
  for (std::size_t i = 0; i < stack.words.size(); ++i) {
    if (stack.words[i] != task.value || i * 8 < shape->task) continue;
    const base::GuestVirtual waiter = stack.begin + i * 8 - shape->task;
    const base::GuestVirtual node = waiter + shape->list;
    if (!steps_.spend(1) || !linked_both_ways(reader, node)) continue;
    const auto lock = shape->headed ? headed_lock(reader, tasks, *shape, node)
                                    : pointing_lock(reader, task, *shape, node, stack);
    if (!lock) continue;
    LockFound found{.kind = kind, .lock = *lock};
    read_owner(reader, waiter, found);
    return found;
  }
  return std::nullopt;
}

std::optional<base::GuestVirtual> LockWaiters::headed_lock(Reader& reader, const TaskIndex& tasks,
                                                           const Shape& shape,
                                                           base::GuestVirtual node) {
  base::GuestVirtual at = node;
  CycleGuard guard;
  for (std::size_t i = 0; i < kMaxWaiters && steps_.spend(1); ++i) {
    if (!reader.load(at, at.value) || at == node || guard.closes(at)) return std::nullopt;
    if (!tasks.on_stack(at)) return at - shape.head;
  }
  return std::nullopt;
}

std::optional<base::GuestVirtual> LockWaiters::pointing_lock(Reader& reader,
                                                             base::GuestVirtual task,
                                                             const Shape& shape,
                                                             base::GuestVirtual node,
                                                             const StackPart& stack) {
  std::vector<base::GuestVirtual> waiters;
  base::GuestVirtual at = node;
  CycleGuard guard;
  do {
    waiters.push_back(at - shape.list);
    if (waiters.size() > kMaxWaiters || !steps_.spend(1) || !reader.load(at, at.value) ||
        guard.closes(at))
      return std::nullopt;
  } while (at != node);
  std::ranges::sort(waiters);
  std::vector<std::uint64_t> candidates;
  for (const std::uint32_t member : named_) {
    std::uint64_t named = 0;
    if (reader.load(task + member, named)) candidates.push_back(named);
  }
  candidates.insert(candidates.end(), stack.words.begin(), stack.words.end());
  for (const std::uint64_t word : candidates) {
    // Of a `blocker`, the lowest bits tell what kind of lock it is.
    const base::GuestVirtual lock(word & ~std::uint64_t{7});
    base::GuestVirtual first;
    if (lock.value >> 63 == 0 || !steps_.spend(1) || !reader.load(lock + shape.head, first.value))
      continue;
    if (std::ranges::binary_search(waiters, first)) return lock;
  }
  return std::nullopt;
}

// MUTEX_FLAGS, kernel/locking/mutex.h; RWSEM_READER_OWNED, RWSEM_NONSPINNABLE and
// RWSEM_WRITER_LOCKED, kernel/locking/rwsem.c.
void LockWaiters::read_owner(Reader& reader, base::GuestVirtual waiter, LockFound& found) {
  constexpr std::uint64_t kFlags = 7;
  constexpr std::uint64_t kReaderOwned = 1;
  constexpr std::uint64_t kWriterLocked = 1;
  constexpr std::uint64_t kReaderShift = 8;
  std::uint64_t owner = 0;
  if (found.kind == WaitKind::mutex) {
    if (!reader.load(found.lock + mutex_owner_, owner)) return;
    found.source = OwnerSource::lock;
  } else if (found.kind == WaitKind::rwsem_read || found.kind == WaitKind::rwsem_write) {
    std::uint64_t count = 0;
    std::uint32_t kind = 0;
    if (reader.load(waiter + rwsem_kind_, kind))
      found.kind = kind == 0 ? WaitKind::rwsem_write : WaitKind::rwsem_read;
    if (!reader.load(found.lock + rwsem_count_, count) ||
        !reader.load(found.lock + rwsem_owner_, owner))
      return;
    const bool readers = (owner & kReaderOwned) != 0;
    if (readers ? (count >> kReaderShift & 0x7f'ffff'ffff'ffff) == 0 : (count & kWriterLocked) == 0)
      return;
    found.source = readers ? OwnerSource::last_reader : OwnerSource::lock;
  } else if (found.kind == WaitKind::semaphore && semaphore_holder_) {
    if (!reader.load(found.lock + *semaphore_holder_, owner)) return;
    found.source = OwnerSource::last_holder;
  }
  found.owner = base::GuestVirtual(owner & ~kFlags);
  if (found.owner.value == 0) found.source = OwnerSource::nobody;
}

std::optional<LockFound> LockWaiters::find_rt_mutex(Reader& reader, base::GuestVirtual task) {
  base::GuestVirtual waiter;
  base::GuestVirtual named;
  LockFound found{.kind = WaitKind::rt_mutex};
  if (!rt_waiter_ || !reader.load(task + *rt_waiter_, waiter.value) || waiter.value == 0 ||
      !reader.load(waiter + rt_task_, named.value) || named != task ||
      !reader.load(waiter + rt_lock_, found.lock.value) ||
      !reader.load(found.lock + rt_owner_, found.owner.value))
    return std::nullopt;
  found.owner = base::GuestVirtual(found.owner.value & ~std::uint64_t{1});  // RT_MUTEX_HAS_WAITERS
  if (found.owner.value != 0) found.source = OwnerSource::lock;
  return found;
}

std::vector<base::GuestVirtual> LockWaiters::queue_entries(Reader& reader, base::GuestVirtual task,
                                                           const StackPart& stack) {
  std::vector<base::GuestVirtual> found;
  for (std::size_t i = 0; queue_.known && i < stack.words.size(); ++i) {
    if (stack.words[i] != task.value || i * 8 < queue_.task) continue;
    const base::GuestVirtual entry = stack.begin + i * 8 - queue_.task;
    if (steps_.spend(1) && linked_both_ways(reader, entry + queue_.list)) found.push_back(entry);
  }
  return found;
}

}  // namespace vitrine::views
