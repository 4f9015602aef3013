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

  template <class Reader>
  std::optional<Found> find(Reader& reader, base::GuestVirtual task, base::GuestVirtual mm,
                            const StackPart& stack) const;

  // The id of a task as its own pid namespace counts; 0 where it can't be read.
  template <class Reader>
  std::uint32_t own_id(Reader& reader, base::GuestVirtual task) const;

 private:
  static constexpr std::uint32_t kMaxLevel = 32;  // MAX_PID_NS_LEVEL

  template <class Reader>
  std::uint32_t owner_in(Reader& reader, base::GuestVirtual mm, base::GuestVirtual address) const;

  bool known_ = false;
  std::uint32_t task_ = 0, node_ = 0, page_ = 0, offset_ = 0;  // of futex_q
  std::uint32_t pgd_ = 0;
  std::uint32_t pid_ = 0, level_ = 0, numbers_ = 0, number_size_ = 0, number_ = 0;
};

template <class Reader>
std::optional<FutexWaits::Found> FutexWaits::find(Reader& reader, base::GuestVirtual task,
                                                  base::GuestVirtual mm,
                                                  const StackPart& stack) const {
  constexpr std::uint32_t kShared = 3;  // FUT_OFF_INODE, FUT_OFF_MMSHARED
  for (std::size_t i = 0; known_ && i < stack.words.size(); ++i) {
    if (stack.words[i] != task.value || i * 8 < task_) continue;
    const base::GuestVirtual waiter = stack.begin + i * 8 - task_;
    std::uint64_t page = 0;
    std::uint32_t offset = 0;
    if (!linked_both_ways(reader, waiter + node_) || !reader.load(waiter + page_, page) ||
        !reader.load(waiter + offset_, offset))
      continue;
    Found found;
    if ((offset & kShared) == 1) return found;
    found.address = base::GuestVirtual(page + (offset & ~kShared));
    found.owner = owner_in(reader, mm, found.address);
    return found;
  }
  return std::nullopt;
}

template <class Reader>
std::uint32_t FutexWaits::owner_in(Reader& reader, base::GuestVirtual mm,
                                   base::GuestVirtual address) const {
  constexpr std::uint32_t kId = 0x3fff'ffff;  // FUTEX_TID_MASK
  constexpr std::uint32_t kContended = 2;     // of a plain mutex of glibc: locked is 1
  base::GuestVirtual tables;
  base::GuestPhysical root;
  std::array<std::uint32_t, 3> words{};
  if (mm.value == 0 || !reader.load(mm + pgd_, tables.value) || !reader.translate(tables, root) ||
      !reader.load_bytes(root, address, std::as_writable_bytes(std::span(words))))
    return 0;
  return words[0] == 1 || words[0] == kContended ? words[2] : words[0] & kId;
}

template <class Reader>
std::uint32_t FutexWaits::own_id(Reader& reader, base::GuestVirtual task) const {
  base::GuestVirtual pid;
  std::uint32_t level = 0;
  std::uint32_t number = 0;
  if (!known_ || !reader.load(task + pid_, pid.value) || !reader.load(pid + level_, level) ||
      level > kMaxLevel ||
      !reader.load(pid + numbers_ + std::uint64_t{level} * number_size_ + number_, number))
    return 0;
  return number;
}

}  // namespace vitrine::views
