// How often a view can be had through a technique, how long each takes, and what it costs the host.
//
// Thread contract: runs in the calling thread. Effect on the guest: that of the session's
// technique, as fast as it goes, for the time asked for.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "vitrine/base/result.h"
#include "vitrine/session/session.h"

namespace vitrine::survey {

struct Rate {
  double per_second = 0;
  struct Latency {
    std::uint64_t p50 = 0, p90 = 0, p99 = 0, max = 0;
  } latency_ns;
  std::uint64_t views = 0;       // observations measured, warm-up not counted
  std::uint64_t incomplete = 0;  // of these, how many could not read everything
  std::uint64_t reached = 0;     // how many met the session's demand; all where it has none
  std::uint64_t rows = 0;        // rows of the last one
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

// Observes `view` as often as possible for `duration`, after a warm-up of a tenth of it. Latencies
// are kept exactly up to a bound and then in steps of less than one percent.
base::Result<Rate> measure_rate(session::Session& session, views::View& view,
                                std::chrono::nanoseconds duration);

// The same reads as bare host calls, nothing decoded: what the technique alone would allow. Times
// the scattered read that the gathering reader makes for `view`; `unsupported` where the technique
// reads in place.
base::Result<Rate> measure_floor(session::Session& session, views::View& view,
                                 std::chrono::nanoseconds duration);

}  // namespace vitrine::survey
