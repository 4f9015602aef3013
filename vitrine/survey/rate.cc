#include "vitrine/survey/rate.h"

#include <unistd.h>

#include <ctime>
#include <memory>

#include "vitrine/host/disk_writes.h"
#include "vitrine/survey/latency_histogram.h"

namespace vitrine::survey {
namespace {

using Clock = std::chrono::steady_clock;

std::uint64_t to_ns(const timespec& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000u +
         static_cast<std::uint64_t>(time.tv_nsec);
}

// Processor time of a process so far, all threads; 0 where the host does not tell.
std::uint64_t cpu_ns(pid_t pid) {
  clockid_t clock{};
  timespec time{};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0) return 0;
  return to_ns(time);
}

// What this process and the VMM have spent so far.
struct Spent {
  explicit Spent(const vmm::Machine* machine)
      : cpu(cpu_ns(getpid())), vmm_cpu(machine == nullptr ? 0 : cpu_ns(machine->process.pid)) {
    const host::ProcRoot proc;
    written = host::written_to_disks(proc, getpid());
    if (machine == nullptr || !written) return;
    const auto of_vmm = host::written_to_disks(proc, machine->process.pid);
    written = of_vmm ? std::optional(*written + *of_vmm) : std::nullopt;
  }

  std::uint64_t cpu;
  std::uint64_t vmm_cpu;
  std::optional<std::uint64_t> written;
};

// Runs `once` for `duration` after a warm-up and fills in what is measured from outside.
template <class Once>
base::Result<Rate> measure(const vmm::Machine* machine, std::chrono::nanoseconds duration,
                           Once&& once) {
  for (const auto end = Clock::now() + duration / 10; Clock::now() < end;) {
    auto warm = once(nullptr);
    if (!warm) return base::fail(warm.error());
  }
  Rate rate;
  auto latencies = std::make_unique<LatencyHistogram>();
  const Spent before_all(machine);
  const Clock::time_point begin = Clock::now();
  Clock::time_point before = begin;
  while (before - begin < duration) {
    auto done = once(&rate);
    if (!done) return base::fail(done.error());
    const Clock::time_point after = Clock::now();
    latencies->add(static_cast<std::uint64_t>((after - before).count()));
    before = after;
  }
  const Spent after_all(machine);
  rate.views = latencies->count();
  const auto views = static_cast<double>(rate.views);
  rate.per_second = views / std::chrono::duration<double>(before - begin).count();
  rate.latency_ns = {latencies->percentile(0.5), latencies->percentile(0.9),
                     latencies->percentile(0.99), latencies->max()};
  rate.reads /= views;
  rate.bytes /= views;
  rate.collects /= views;
  rate.stopped_ns /= views;
  rate.drained_ns /= views;
  rate.cpu_ns = static_cast<double>(after_all.cpu - before_all.cpu) / views;
  if (machine != nullptr)
    rate.vmm_cpu_ns = static_cast<double>(after_all.vmm_cpu - before_all.vmm_cpu) / views;
  if (before_all.written && after_all.written)
    rate.written_bytes = static_cast<double>(*after_all.written - *before_all.written) / views;
  return rate;
}

}  // namespace

base::Result<Rate> measure_rate(session::Session& session, views::View& view,
                                std::chrono::nanoseconds duration) {
  return measure(session.machine(), duration, [&](Rate* rate) -> base::Result<void> {
    auto observation = session.observe(view);
    if (!observation) return base::fail(observation.error());
    if (rate == nullptr) return {};
    rate->rows = view.size();
    rate->incomplete += observation->outcome.complete ? 0u : 1u;
    rate->reached += consistency::reached(observation->consistency, session.demand()) ? 1u : 0u;
    rate->collects += observation->consistency.collects;
    rate->reads += static_cast<double>(observation->cost.reads);
    rate->bytes += static_cast<double>(observation->cost.bytes);
    rate->stopped_ns += static_cast<double>(observation->stopped_ns);
    rate->drained_ns += static_cast<double>(observation->drained_ns);
    return {};
  });
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
  return measure(session.machine(), duration, [&](Rate* rate) -> base::Result<void> {
    session.memory().read(requests);
    if (rate == nullptr) return {};
    ++rate->reached;
    ++rate->collects;
    rate->reads += static_cast<double>(requests.size());
    rate->bytes += static_cast<double>(bytes);
    return {};
  });
}

}  // namespace vitrine::survey
