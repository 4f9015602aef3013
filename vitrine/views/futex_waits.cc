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

}  // namespace vitrine::views
