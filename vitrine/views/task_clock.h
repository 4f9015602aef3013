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
#include "vitrine/views/reader.h"
#include "vitrine/views/resolver.h"

namespace vitrine::views {

class TaskClock {
 public:
  // What this kernel lacks makes no time known.
  static TaskClock attach(const kernel::Kernel& kernel);

  // To be called when a collection begins.
  void begin(Reader& reader);

  struct Wait {
    std::uint64_t since_ns = 0;   // since boot
    std::uint64_t waited_ns = 0;  // until now
  };
  // Of a task that does not run; nothing where it can't be told.
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

}  // namespace vitrine::views
