// How long each of the guest's CPUs was idle, as /proc/stat and /proc/uptime count: to the
// nanosecond, the time for which it is idle now included, as of the guest's last clock tick.
//
// Thread contract: immutable once attached. Cost: some 8 loads a CPU.
#pragma once

#include <algorithm>
#include <optional>

#include "vitrine/kernel/kernel.h"
#include "vitrine/views/clock.h"
#include "vitrine/views/per_cpu.h"
#include "vitrine/views/reader.h"

namespace vitrine::views {

// In nanoseconds.
struct Idle {
  std::uint64_t idle = 0;
  std::uint64_t waiting = 0;  // idle while a task waited for a disk
};

class IdleTime {
 public:
  // Errors: the member or symbol that is missing; as Clock.
  static base::Result<IdleTime> attach(const kernel::Kernel& kernel);

  // False where it can't be read.
  bool read(Reader& reader, const PerCpu::Cpu& cpu, bool online, Idle& idle) const;

 private:
  explicit IdleTime(const Clock& clock) : clock_(clock) {}

  Clock clock_;
  base::GuestVirtual idle_, waiting_;  // of the ticks: kernel_cpustat, per CPU
  base::GuestVirtual waiters_;         // rq.nr_iowait, per CPU
  // tick_sched, per CPU; nothing where this kernel does not stop the tick.
  std::optional<base::GuestVirtual> ticks_;
  std::uint32_t slept_ = 0, waited_ = 0, since_ = 0;
  std::uint32_t active_ = 0, active_mask_ = 0;  // where it says that the CPU is idle now
};

}  // namespace vitrine::views
