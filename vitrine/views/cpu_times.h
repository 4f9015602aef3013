// The processor time of a task or process, as /proc/PID/stat counts it.
//
// The scheduler knows to the nanosecond how long a task ran; how much of that was in user mode is
// counted by clock ticks. The kernel scales the ticks to the exact sum, and what it has told once
// never falls (cputime_adjust() in kernel/sched/cputime.c); so does this, without keeping anything
// in the guest.
//
// Thread contract: one thread at a time. Cost: 6 loads a thread.
#pragma once

#include <cstdint>

#include "vitrine/views/budget.h"
#include "vitrine/views/cycle_guard.h"
#include "vitrine/views/reader.h"
#include "vitrine/views/resolver.h"

namespace vitrine::views {

// In nanoseconds. `total` is exact; the others are parts of it, but for rounding.
struct CpuTimes {
  std::uint64_t total = 0;
  std::uint64_t user = 0;
  std::uint64_t system = 0;
};

// What the kernel would tell of `counted` whose sum is exact, having told `told` before.
CpuTimes adjusted(const CpuTimes& counted, const CpuTimes& told);

class CpuTimeReader {
 public:
  static CpuTimeReader attach(Resolver& at);

  // To be called when a collection begins.
  void begin() { threads_.renew(); }

  // Of one thread. False where it can't be read, see the reader's fault.
  bool of_thread(Reader& reader, base::GuestVirtual task, CpuTimes& times) const;

  // Of a process, by any of its threads: those that have ended, and those that live. False also
  // where the list of threads does not come to its end.
  bool of_process(Reader& reader, base::GuestVirtual task, CpuTimes& times);

 private:
  static constexpr std::uint64_t kMostThreads = 4U << 20;  // PID_MAX_LIMIT, of all processes

  // Where a structure has a total and its parts; offsets in bytes.
  struct Counters {
    std::uint32_t total = 0, user = 0, system = 0;
  };

  static bool load(Reader& reader, base::GuestVirtual at, const Counters& counters,
                   CpuTimes& times);

  Counters task_, signal_;                  // total: task_struct.se.sum_exec_runtime
  Counters told_of_task_, told_of_signal_;  // no total
  std::uint32_t signal_at_ = 0, thread_node_ = 0, thread_head_ = 0;
  Budget threads_{kMostThreads};
};

}  // namespace vitrine::views
