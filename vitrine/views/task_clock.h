// Since when a task that does not run has waited, by the scheduler's own clocks: that of its
// processor's run queue, and when the task was last accounted for what it ran.
//
// Times count from the guest's boot, as those of its log do. A processor that idles does not
// advance its clock; the newest of all is taken for now.
//
// Thread contract: one thread at a time. Cost: two loads a processor and collection, and four a
// task.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "vitrine/kernel/kernel.h"
#include "vitrine/views/resolver.h"

namespace vitrine::views {

class TaskClock {
 public:
  // What this kernel lacks makes no time known.
  static TaskClock attach(const kernel::Kernel& kernel);

  // To be called when a collection begins.
  template <class Reader>
  void begin(Reader& reader);

  struct Wait {
    std::uint64_t since_ns = 0;   // since boot
    std::uint64_t waited_ns = 0;  // until now
  };
  // Of a task that does not run; nothing where it can't be told.
  template <class Reader>
  std::optional<Wait> wait(Reader& reader, base::GuestVirtual task) const;

 private:
  static constexpr std::uint32_t kMaxCpus = 8192;  // NR_CPUS of MAXSMP kernels

  struct Clock {
    std::uint64_t time = 0, task_time = 0;
  };

  bool known_ = false;
  base::GuestVirtual queues_, offsets_, count_;
  std::uint32_t clock_ = 0, task_clock_ = 0;                     // of struct rq
  std::uint32_t cpu_ = 0, last_accounted_ = 0, last_begun_ = 0;  // of task_struct
  bool has_last_begun_ = false;
  std::vector<Clock> clocks_;  // by processor
  std::uint64_t now_ = 0;
};

template <class Reader>
void TaskClock::begin(Reader& reader) {
  clocks_.clear();
  now_ = 0;
  std::uint32_t count = 0;
  if (!known_ || !reader.load(count_, count)) return;
  for (std::uint32_t cpu = 0; cpu < std::min(count, kMaxCpus); ++cpu) {
    std::uint64_t offset = 0;
    Clock clock;
    if (!reader.load(offsets_ + cpu * 8ULL, offset) ||
        !reader.load(queues_ + offset + clock_, clock.time) ||
        !reader.load(queues_ + offset + task_clock_, clock.task_time))
      clock = {};
    clocks_.push_back(clock);
    now_ = std::max(now_, clock.time);
  }
}

// The task's clock stands still while the processor is away with interrupts or, where it is
// virtual, taken by the host: how long ago by it is how long ago.
template <class Reader>
std::optional<TaskClock::Wait> TaskClock::wait(Reader& reader, base::GuestVirtual task) const {
  std::uint32_t cpu = 0;
  std::uint64_t accounted = 0;
  std::uint64_t begun = 0;
  if (!known_ || !reader.load(task + cpu_, cpu) || cpu >= clocks_.size() ||
      !reader.load(task + last_accounted_, accounted) ||
      (has_last_begun_ && !reader.load(task + last_begun_, begun)))
    return std::nullopt;
  const Clock& clock = clocks_[cpu];
  std::uint64_t since = begun;
  if (accounted != 0 && accounted <= clock.task_time && clock.task_time - accounted <= clock.time)
    since = std::max(since, clock.time - (clock.task_time - accounted));
  if (since == 0 || since > now_) return std::nullopt;
  return Wait{since, now_ - since};
}

}  // namespace vitrine::views
