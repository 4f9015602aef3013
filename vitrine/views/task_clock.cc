#include "vitrine/views/task_clock.h"

#include <array>

namespace vitrine::views {

TaskClock TaskClock::attach(const kernel::Kernel& kernel) {
  TaskClock clock;
  constexpr std::array<std::string_view, 3> kSymbols{"runqueues", "__per_cpu_offset", "nr_cpu_ids"};
  const auto symbols = kernel.symbols.find(kSymbols);
  if (!symbols[0] || !symbols[1] || !symbols[2]) return clock;
  clock.queues_ = *symbols[0];
  clock.offsets_ = *symbols[1];
  clock.count_ = *symbols[2];
  Resolver at(kernel.types);
  clock.clock_ = at("rq", "clock");
  clock.task_clock_ = at("rq", "clock_task");
  clock.cpu_ =
      at("task_struct", {"thread_info.cpu", "cpu"});  // back there since 5.16 (bcf9033e5449)
  clock.last_accounted_ = at("task_struct", "se.exec_start");
  clock.has_last_begun_ = kernel.types.has_member("task_struct", "sched_info.last_arrival");
  if (clock.has_last_begun_) clock.last_begun_ = at("task_struct", "sched_info.last_arrival");
  clock.known_ = !at.error();
  return clock;
}

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
