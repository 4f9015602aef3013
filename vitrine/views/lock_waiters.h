// Which lock of the kernel a sleeping task waits for, and who has it.
//
// Whoever waits for a mutex, rwsem, semaphore or completion has a structure on its own kernel
// stack that is linked into the lock's list of waiters. It is believed only if it names the task,
// and its neighbours in the list lead back to it. The list's head is in the lock: the one node that
// is on no task's stack. Since 7.1 mutexes, rwsems and semaphores have no head but point to their
// first waiter: the lock is then the one word of the stack, or of task_struct.blocked_on and
// blocker (6.17), that leads to a waiter of that very list.
//
// Thread contract: one thread at a time. Cost: some 10 loads a waiter in the list; without a head
// one for each word that is tried.
#pragma once

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

#include "vitrine/kernel/type_lookup.h"
#include "vitrine/views/budget.h"
#include "vitrine/views/cycle_guard.h"
#include "vitrine/views/resolver.h"
#include "vitrine/views/task_index.h"
#include "vitrine/views/wait_kind.h"

namespace vitrine::views {

// How it is known who is waited for.
enum class OwnerSource : std::uint8_t {
  nobody,       // nothing names one
  lock,         // the lock, or what the kernel keeps for it, names its owner
  last_reader,  // the rwsem names who took it for reading last: others may have it, too
  last_holder,  // the semaphore names who took it last
  user_memory,  // the C library's convention, or a value in the process's memory: a hint
  other_end,    // the one process that has the other end open
  child,        // the one child that is waited for
};
std::string_view name(OwnerSource source);

struct LockFound {
  WaitKind kind = WaitKind::none;
  base::GuestVirtual lock = {};
  base::GuestVirtual owner = {};  // a task, not checked whether it is one; 0: nobody
  OwnerSource source = OwnerSource::nobody;
};

// The part of a task's stack in which what it waits with is looked for.
struct StackPart {
  base::GuestVirtual begin;
  std::vector<std::uint64_t> words;
};

// Whether both neighbours of a node of a list lead back to it.
template <class Reader>
bool linked_both_ways(Reader& reader, base::GuestVirtual node) {
  base::GuestVirtual next;
  base::GuestVirtual previous;
  base::GuestVirtual back;
  base::GuestVirtual forth;
  return reader.load(node, next.value) && reader.load(node + 8, previous.value) &&
         next.value != 0 && previous.value != 0 && reader.load(next + 8, back.value) &&
         reader.load(previous, forth.value) && back == node && forth == node;
}

class LockWaiters {
 public:
  // Resolves what this kernel has; what it has not is not found.
  static LockWaiters attach(const kernel::TypeLookup& types);

  // To be called when a collection begins.
  void renew() { steps_.renew(); }
  // Whether the waiters of this collection took more steps than all that a guest can have: the
  // others are not looked for then.
  bool spent() const { return steps_.spent(); }

  // The lock that a task waits for in a function that says `kind`. Nothing where there is none to
  // be believed.
  template <class Reader>
  std::optional<LockFound> find(Reader& reader, const TaskIndex& tasks, base::GuestVirtual task,
                                WaitKind kind, const StackPart& stack);

  // The real-time mutex, kernel/locking/rtmutex.c, by task_struct.pi_blocked_on.
  template <class Reader>
  std::optional<LockFound> find_rt_mutex(Reader& reader, base::GuestVirtual task);

  // Where wait queue entries name their task.
  template <class Reader>
  std::vector<base::GuestVirtual> queue_entries(Reader& reader, base::GuestVirtual task,
                                                const StackPart& stack);

 private:
  static constexpr std::size_t kMaxWaiters = 1U << 16;    // of one lock
  static constexpr std::uint64_t kMostSteps = 16U << 20;  // of a collection

  // A kind of lock: offsets in bytes.
  struct Shape {
    bool known = false;
    std::uint32_t task = 0, list = 0;  // in the waiter
    std::uint32_t head = 0;            // in the lock: the list's head, or a pointer to a waiter
    bool headed = false;
  };

  static Shape shape(const kernel::TypeLookup& types, std::string_view waiter,
                     std::string_view task, std::string_view list, std::string_view lock,
                     std::string_view head);
  const Shape* shape_of(WaitKind kind) const;

  template <class Reader>
  std::optional<base::GuestVirtual> headed_lock(Reader& reader, const TaskIndex& tasks,
                                                const Shape& shape, base::GuestVirtual node);
  template <class Reader>
  std::optional<base::GuestVirtual> pointing_lock(Reader& reader, base::GuestVirtual task,
                                                  const Shape& shape, base::GuestVirtual node,
                                                  const StackPart& stack);
  template <class Reader>
  void read_owner(Reader& reader, base::GuestVirtual waiter, LockFound& found);

  Shape mutex_, rwsem_, semaphore_, completion_, percpu_;
  Shape queue_;  // of which only the waiter is known
  std::uint32_t mutex_owner_ = 0, rwsem_owner_ = 0, rwsem_count_ = 0, rwsem_kind_ = 0;
  std::optional<std::uint32_t> semaphore_holder_;
  std::vector<std::uint32_t> named_;  // members of task_struct that may name the lock
  std::optional<std::uint32_t> rt_waiter_;
  std::uint32_t rt_task_ = 0, rt_lock_ = 0, rt_owner_ = 0;
  Budget steps_{kMostSteps};
};

template <class Reader>
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

template <class Reader>
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

template <class Reader>
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
template <class Reader>
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

template <class Reader>
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

template <class Reader>
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
