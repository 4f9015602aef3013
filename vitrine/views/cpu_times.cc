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

bool CpuTimeReader::load(Reader& reader, base::GuestVirtual at, const Counters& counters,
                         CpuTimes& times) {
  return (counters.total == 0 || reader.load(at + counters.total, times.total)) &&
         reader.load(at + counters.user, times.user) &&
         reader.load(at + counters.system, times.system);
}

bool CpuTimeReader::of_thread(Reader& reader, base::GuestVirtual task, CpuTimes& times) const {
  CpuTimes counted;
  CpuTimes told;
  if (!load(reader, task, task_, counted) || !load(reader, task, told_of_task_, told)) return false;
  times = adjusted(counted, told);
  return true;
}

bool CpuTimeReader::of_process(Reader& reader, base::GuestVirtual task, CpuTimes& times) {
  base::GuestVirtual signal;
  base::GuestVirtual at;
  CpuTimes sum;
  CpuTimes told;
  if (!reader.load(task + signal_at_, signal.value) || !load(reader, signal, signal_, sum) ||
      !load(reader, signal, told_of_signal_, told))
    return false;
  const base::GuestVirtual head = signal + thread_head_;
  CycleGuard guard;
  bool readable = reader.load(head, at.value);
  while (readable && at != head) {
    CpuTimes part;
    if (guard.closes(at) || !threads_.spend(1)) return false;
    readable = load(reader, at - thread_node_, task_, part) && reader.load(at, at.value);
    sum = {sum.total + part.total, sum.user + part.user, sum.system + part.system};
  }
  times = adjusted(sum, told);
  return readable;
}

}  // namespace vitrine::views
