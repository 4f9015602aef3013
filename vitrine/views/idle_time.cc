#include "vitrine/views/idle_time.h"

#include <array>

#include "vitrine/views/resolver.h"
#include "vitrine/views/statistics.h"

namespace vitrine::views {

base::Result<IdleTime> IdleTime::attach(const kernel::Kernel& kernel) {
  enum Name : std::size_t { kCounters, kQueues, kTicks, kNames };
  constexpr std::array<std::string_view, kNames> kSymbols{"kernel_cpustat", "runqueues",
                                                          "tick_cpu_sched"};
  const auto clock = Clock::attach(kernel);
  if (!clock) return base::fail(clock.error());
  const auto symbols = kernel.symbols.find(kSymbols);
  const auto idle = find_enumerator(kernel.types, "CPUTIME_IDLE");
  const auto waiting = find_enumerator(kernel.types, "CPUTIME_IOWAIT");
  if (!symbols[kCounters] || !symbols[kQueues] || !idle || !waiting)
    return base::fail(base::Code::unsupported,
                      "this kernel's kallsyms does not name what its CPUs count",
                      "the guest's kernel needs CONFIG_KALLSYMS_ALL");
  Resolver at(kernel.types);
  IdleTime time(*clock);
  const std::uint32_t counters = at("kernel_cpustat", "cpustat");
  time.idle_ = *symbols[kCounters] + counters + std::uint64_t{*idle} * 8;
  time.waiting_ = *symbols[kCounters] + counters + std::uint64_t{*waiting} * 8;
  time.waiters_ = *symbols[kQueues] + at("rq", "nr_iowait");
  if (kernel.types.has_member("kernel_cpustat", "idle_elapse")) {
    // The two accounts are one since 7.1 (in the series "Unify idle cputime accounting").
    time.ticks_ = symbols[kCounters];
    time.slept_ = counters + *idle * 8;
    time.waited_ = counters + *waiting * 8;
    time.since_ = at("kernel_cpustat", "idle_entrytime");
    time.active_ = at("kernel_cpustat", "idle_elapse");
    time.active_mask_ = 0xff;
  } else if (symbols[kTicks] && kernel.types.has_member("tick_sched", "idle_sleeptime")) {
    time.ticks_ = symbols[kTicks];
    time.slept_ = at("tick_sched", "idle_sleeptime");
    time.waited_ = at("tick_sched", "iowait_sleeptime");
    time.since_ = at("tick_sched", "idle_entrytime");
    // The third of several bit fields, then of the bits of a word (TS_FLAG_IDLE_ACTIVE, since 6.9).
    const bool flags = kernel.types.has_member("tick_sched", "flags");
    const kernel::Member active = at.member("tick_sched", flags ? "flags" : "idle_active");
    time.active_ = static_cast<std::uint32_t>(active.offset) + active.bit_offset / 8;
    time.active_mask_ = flags ? 4U : 1U << active.bit_offset % 8;
  }
  if (at.error()) return base::fail(*at.error());
  return time;
}

// As get_idle_time() in fs/proc/stat.c and get_cpu_idle_time_us().
bool IdleTime::read(Reader& reader, const PerCpu::Cpu& cpu, bool online, Idle& idle) const {
  if (!online || !ticks_)
    return reader.load(idle_ + cpu.offset, idle.idle) &&
           reader.load(waiting_ + cpu.offset, idle.waiting);
  const base::GuestVirtual at = *ticks_ + cpu.offset;
  std::uint64_t since = 0;
  std::uint8_t active = 0;
  std::int32_t waiters = 0;
  Times now;
  if (!reader.load(at + slept_, idle.idle) || !reader.load(at + waited_, idle.waiting) ||
      !reader.load(at + since_, since) || !reader.load(at + active_, active) ||
      !reader.load(waiters_ + cpu.offset, waiters) || !clock_.read(reader, now))
    return false;
  if ((active & active_mask_) != 0 && now.monotonic_ns > since)
    (waiters > 0 ? idle.waiting : idle.idle) += now.monotonic_ns - since;
  return true;
}

}  // namespace vitrine::views
