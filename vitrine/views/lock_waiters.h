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
#include "vitrine/views/reader.h"
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
inline bool linked_both_ways(Reader& reader, base::GuestVirtual node) {
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
  std::optional<LockFound> find(Reader& reader, const TaskIndex& tasks, base::GuestVirtual task,
                                WaitKind kind, const StackPart& stack);

  // The real-time mutex, kernel/locking/rtmutex.c, by task_struct.pi_blocked_on.
  std::optional<LockFound> find_rt_mutex(Reader& reader, base::GuestVirtual task);

  // Where wait queue entries name their task.
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

  std::optional<base::GuestVirtual> headed_lock(Reader& reader, const TaskIndex& tasks,
                                                const Shape& shape, base::GuestVirtual node);
  std::optional<base::GuestVirtual> pointing_lock(Reader& reader, base::GuestVirtual task,
                                                  const Shape& shape, base::GuestVirtual node,
                                                  const StackPart& stack);
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

}  // namespace vitrine::views
