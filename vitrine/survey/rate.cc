#include "vitrine/survey/rate.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <ctime>
#include <memory>
#include <thread>

#include "vitrine/host/anonymous_memory.h"
#include "vitrine/host/disk_writes.h"
#include "vitrine/survey/latency_histogram.h"

namespace vitrine::survey {
namespace {

using Clock = std::chrono::steady_clock;

std::uint64_t to_ns(const timespec& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000u +
         static_cast<std::uint64_t>(time.tv_nsec);
}

// Processor time of a process so far, all threads; nothing where the host does not tell.
std::optional<std::uint64_t> cpu_ns(pid_t pid) {
  clockid_t clock{};
  timespec time{};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0)
    return std::nullopt;
  return to_ns(time);
}

// What this process and the VMM have spent so far.
struct Spent {
  explicit Spent(const vmm::Machine* machine) : cpu(cpu_ns(getpid()).value_or(0)) {
    if (machine != nullptr) vmm_cpu = cpu_ns(machine->process.pid);
    const host::ProcRoot proc;
    written = host::written_to_disks(proc, getpid());
    if (machine == nullptr || !written) return;
    const auto of_vmm = host::written_to_disks(proc, machine->process.pid);
    written = of_vmm ? std::optional(*written + *of_vmm) : std::nullopt;
  }

  std::uint64_t cpu;
  std::optional<std::uint64_t> vmm_cpu;
  std::optional<std::uint64_t> written;
};

// The most private memory that this process was seen to have. Looking costs as much as a fast
// observation, so it is done after the first, second, fourth, eighth and so on.
class PeakMemory {
 public:
  void look(std::uint64_t views) {
    if (std::has_single_bit(views)) look();
  }
  void look() {
    const auto bytes = host::anonymous_memory(host::ProcRoot{}, getpid());
    if (bytes && *bytes > peak_.value_or(0)) peak_ = bytes;
  }
  std::optional<std::uint64_t> peak() const { return peak_; }

 private:
  std::optional<std::uint64_t> peak_;
};

// Sums up what an observation tells of itself.
void add(Rate& rate, const session::Observation& observation, const consistency::Demand& demand) {
  rate.incomplete += observation.outcome.complete ? 0u : 1u;
  rate.reached += consistency::reached(observation.consistency, demand) ? 1u : 0u;
  using consistency::Atomic;
  const Atomic atomic = observation.consistency.atomic;
  rate.one_instant += atomic == Atomic::proved || atomic == Atomic::unchanged ? 1u : 0u;
  rate.collects += observation.consistency.collects;
  rate.reads += static_cast<double>(observation.cost.reads);
  rate.bytes += static_cast<double>(observation.cost.bytes);
  rate.stopped_ns += static_cast<double>(observation.stopped_ns);
  rate.drained_ns += static_cast<double>(observation.drained_ns);
}

void fill_in(Rate& rate, const LatencyHistogram& latencies, const Spent& before,
             const Spent& after) {
  const auto views = static_cast<double>(latencies.count());
  rate.views = latencies.count();
  rate.per_second = views / rate.elapsed_ns * 1e9;
  rate.latency_ns = {latencies.percentile(0.5), latencies.percentile(0.9),
                     latencies.percentile(0.99), latencies.max()};
  rate.latencies = latencies.steps();
  for (double* sum : {&rate.reads, &rate.bytes, &rate.collects, &rate.stopped_ns, &rate.drained_ns})
    *sum /= views;
  rate.cpu_ns = static_cast<double>(after.cpu - before.cpu) / views;
  if (before.vmm_cpu && after.vmm_cpu)
    rate.vmm_cpu_ns = static_cast<double>(*after.vmm_cpu - *before.vmm_cpu) / views;
  if (before.written && after.written)
    rate.written_bytes = static_cast<double>(*after.written - *before.written) / views;
}

base::Result<void> warm_up(const Subject& subject, std::chrono::nanoseconds duration) {
  const auto until = Clock::now() + duration;
  do {
    auto observation = subject.observe();
    if (!observation) return base::fail(observation.error());
  } while (Clock::now() < until);
  return {};
}

}  // namespace

base::Result<Rate> measure_rate(const Subject& subject, const Pace& pace) {
  if (auto warm = warm_up(subject, pace.warm_up); !warm) return base::fail(warm.error());
  const std::chrono::duration<double> period(pace.frequency_hz > 0 ? 1 / pace.frequency_hz : 0);
  Rate rate;
  auto latencies = std::make_unique<LatencyHistogram>();
  PeakMemory memory;
  malloc_trim(0);
  const Spent before_all(subject.machine);
  const Clock::time_point begin = Clock::now();
  Clock::time_point before = begin;
  while (before - begin < pace.duration) {
    auto observation = subject.observe();
    if (!observation) return base::fail(observation.error());
    const Clock::time_point after = Clock::now();
    latencies->add(static_cast<std::uint64_t>((after - before).count()));
    add(rate, *observation, subject.demand);
    memory.look(latencies->count());
    before = after;
    const auto due = begin + std::chrono::duration_cast<Clock::duration>(
                                 period * static_cast<double>(latencies->count()));
    if (due <= after) continue;
    if (auto rested = subject.rest(); !rested) return base::fail(rested.error());
    std::this_thread::sleep_until(std::min(due, begin + pace.duration));
    before = Clock::now();
  }
  const Spent after_all(subject.machine);
  memory.look();
  rate.rows = subject.rows();
  rate.elapsed_ns = static_cast<double>((before - begin).count());
  rate.peak_memory_bytes = memory.peak();
  fill_in(rate, *latencies, before_all, after_all);
  return rate;
}

base::Result<Rate> measure_rate(session::Session& session, views::View& view, const Pace& pace) {
  return measure_rate({.observe = [&] { return session.observe(view); },
                       .rest = [&] { return session.rest(); },
                       .rows = [&] { return view.size(); },
                       .demand = session.demand(),
                       .machine = session.machine()},
                      pace);
}

base::Result<Rate> measure_floor(session::Session& session, views::View& view,
                                 std::chrono::nanoseconds duration) {
  // Two observations: the first finds out what there is, the second gathers it.
  for (int i = 0; i < 2; ++i) {
    auto observation = session.observe(view);
    if (!observation) return base::fail(observation.error());
  }
  const std::vector<memory::Range> pieces = session.gathered();
  if (pieces.empty())
    return base::fail(base::Code::unsupported,
                      "the technique reads in place, so there are no bare reads to time");
  std::uint64_t bytes = 0;
  for (const memory::Range& piece : pieces) bytes += piece.size;
  std::vector<std::byte> buffer(bytes);
  std::vector<memory::ReadRequest> requests;
  std::size_t at = 0;
  for (const memory::Range& piece : pieces) {
    requests.push_back({piece.start, std::span(buffer).subspan(at, piece.size)});
    at += piece.size;
  }
  const auto read = [&]() -> base::Result<session::Observation> {
    session.memory().read(requests);
    session::Observation observation;
    observation.cost = {requests.size(), bytes};
    return observation;
  };
  return measure_rate({.observe = read,
                       .rest = [] { return base::Result<void>(); },
                       .rows = [] { return std::uint64_t{0}; },
                       .machine = session.machine()},
                      {.duration = duration});
}

}  // namespace vitrine::survey
