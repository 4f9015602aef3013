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

}  // namespace vitrine::views
