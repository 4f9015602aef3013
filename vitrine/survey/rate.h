// How often a view can be had through a technique, how long each takes, and what it costs the host.
//
// Thread contract: runs in the calling thread. Effect on the guest: that of the session's
// technique, as fast as it goes, for the time asked for.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/session/session.h"

namespace vitrine::survey {

// How long and how often is observed.
struct Pace {
  std::chrono::nanoseconds duration;
  double frequency_hz = 0;  // observations asked for a second; 0: as many as possible
  // Observations before, which do not count: at least one, and more until this time has passed.
  std::chrono::nanoseconds warm_up = duration / 10;
};

struct Rate {
  double per_second = 0;
  double elapsed_ns = 0;  // what it was measured over
  struct Latency {
    std::uint64_t p50 = 0, p90 = 0, p99 = 0, max = 0;
  } latency_ns;
  std::uint64_t views = 0;        // observations measured, warm-up not counted
  std::uint64_t incomplete = 0;   // of these, how many could not read everything
  std::uint64_t reached = 0;      // how many met the session's demand; all where it has none
  std::uint64_t one_instant = 0;  // how many were of one instant: proved, or seen twice the same
  std::uint64_t rows = 0;         // rows of the last one
  // How many took up to how many nanoseconds; steps of less than one percent.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> latencies;
  std::optional<std::uint64_t> peak_memory_bytes;  // private memory of this process at most
  // Per view, mean:
  double reads = 0;
  double bytes = 0;
  double collects = 0;  // see consistency::Verdict
  double stopped_ns = 0;
  double drained_ns = 0;                // of that, until the VM's disks were at rest
  double cpu_ns = 0;                    // processor time of this process, all threads
  std::optional<double> vmm_cpu_ns;     // that of the VMM meanwhile, guest's own work included
  std::optional<double> written_bytes;  // what both handed to disks; unknown on some hosts
};

// What is observed again and again.
struct Subject {
  std::function<base::Result<session::Observation>()> observe;
  std::function<base::Result<void>()> rest;  // see Session::rest
  std::function<std::uint64_t()> rows;       // of the last observation
  consistency::Demand demand = {};
  const vmm::Machine* machine = nullptr;  // null: of no VM
};

// Observes it at that pace; an observation that takes longer than the pace allows is followed by
// the next at once. Where there is time until the next, the subject rests.
//
// Memory is looked at between observations, ever more rarely. What an observation lets go of stays
// with the process until the allocator gives it back, which the program has it do rarely, so that
// it counts.
base::Result<Rate> measure_rate(const Subject& subject, const Pace& pace);

// The same of a view.
base::Result<Rate> measure_rate(session::Session& session, views::View& view, const Pace& pace);

// The same reads as bare host calls, nothing decoded: what the technique alone would allow. Times
// the scattered read that the gathering reader makes for `view`; `unsupported` where the technique
// reads in place.
base::Result<Rate> measure_floor(session::Session& session, views::View& view,
                                 std::chrono::nanoseconds duration);

}  // namespace vitrine::survey
