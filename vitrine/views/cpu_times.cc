#include "vitrine/views/cpu_times.h"

#include <algorithm>

namespace vitrine::views {

CpuTimes adjusted(const CpuTimes& counted, const CpuTimes& told) {
  __extension__ using Wide = unsigned __int128;
  const std::uint64_t total = counted.total;
  if (Wide{told.user} + told.system >= total) return {total, told.user, told.system};
  const Wide ticks = Wide{counted.user} + counted.system;
  std::uint64_t system = 0;
  if (counted.user == 0 && counted.system != 0)
    system = total;
  else if (counted.system != 0)
    system = static_cast<std::uint64_t>(Wide{counted.system} * total / ticks);
  system = std::max(system, told.system);
  std::uint64_t user = total - std::min(system, total);
  if (user < told.user) {
    user = told.user;
    system = total - user;
  }
  return {total, user, system};
}

CpuTimeReader CpuTimeReader::attach(Resolver& at) {
  CpuTimeReader times;
  times.signal_at_ = at("task_struct", "signal");
  times.thread_node_ = at("task_struct", "thread_node");
  times.thread_head_ = at("signal_struct", "thread_head");
  times.task_ = {at("task_struct", "se.sum_exec_runtime"), at("task_struct", "utime"),
                 at("task_struct", "stime")};
  times.signal_ = {at("signal_struct", "sum_sched_runtime"), at("signal_struct", "utime"),
                   at("signal_struct", "stime")};
  times.told_of_task_ = {0, at("task_struct", "prev_cputime.utime"),
                         at("task_struct", "prev_cputime.stime")};
  times.told_of_signal_ = {0, at("signal_struct", "prev_cputime.utime"),
                           at("signal_struct", "prev_cputime.stime")};
  return times;
}

}  // namespace vitrine::views
