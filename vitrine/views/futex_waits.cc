#include "vitrine/views/futex_waits.h"

namespace vitrine::views {

FutexWaits FutexWaits::attach(const kernel::TypeLookup& types) {
  FutexWaits futexes;
  Resolver at(types);
  futexes.task_ = at("futex_q", "task");
  futexes.node_ = at("futex_q", "list.node_list");
  futexes.page_ = at("futex_q", "key.both.word");
  futexes.offset_ = at("futex_q", "key.both.offset");
  futexes.pgd_ = at("mm_struct", "pgd");
  futexes.pid_ = at("task_struct", "thread_pid");
  futexes.level_ = at("pid", "level");
  futexes.numbers_ = at("pid", "numbers");
  futexes.number_size_ = at.size("upid");
  futexes.number_ = at("upid", "nr");
  futexes.known_ = !at.error();
  return futexes;
}

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
