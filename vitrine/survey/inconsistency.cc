#include "vitrine/survey/inconsistency.h"

#include <algorithm>
#include <thread>

namespace vitrine::survey {
namespace {

using Clock = std::chrono::steady_clock;
using session::Pausing;

constexpr std::array<Mode, 6> kModes{{
    {"live", "one collection, the guest runs", false, Pausing::none, false, false},
    {"atomic", "--atomic: two collections that read the same", false, Pausing::none, true, false},
    {"quiescent", "--quiescent: the same, with the locks free", false, Pausing::none, false, true},
    {"freeze", "--pause=freeze: the VMM's threads stopped", false, Pausing::freeze, false, false},
    {"vmm", "--pause=vmm: paused by the monitor", false, Pausing::vmm, false, false},
    {"fork", "--technique fork: a copy of the VMM", true, Pausing::none, false, false},
}};

void count(const consistency::TaskAudit& audit, ModeResult& result) {
  bool intrinsic = false;
  bool extrinsic = false;
  for (std::size_t i = 0; i < consistency::kKinds; ++i) {
    const std::uint32_t met = audit.counts().at(i);
    if (met == 0) continue;
    ++result.kinds.at(i).observations;
    result.kinds.at(i).occurrences += met;
    (consistency::info(static_cast<consistency::Kind>(i)).intrinsic ? intrinsic : extrinsic) = true;
  }
  result.intrinsic += intrinsic ? 1 : 0;
  result.extrinsic += extrinsic ? 1 : 0;
}

}  // namespace

std::span<const Mode> modes() { return kModes; }

base::Result<ModeResult> count_inconsistency(std::string_view vm, session::Options options,
                                             const Mode& mode, std::chrono::nanoseconds duration,
                                             std::chrono::nanoseconds interval) {
  if (mode.copies) options.technique = "fork";
  options.pause = mode.pause;
  options.demand.atomic = mode.atomic;
  options.demand.quiescent = mode.quiescent;
  auto session = session::Session::open(vm, options);
  if (!session) return base::fail(session.error());
  return count_inconsistency(**session, duration, interval);
}

base::Result<ModeResult> count_inconsistency(session::Session& session,
                                             std::chrono::nanoseconds duration,
                                             std::chrono::nanoseconds interval) {
  auto audit = consistency::TaskAudit::attach(session.kernel());
  if (!audit) return base::fail(audit.error());
  ModeResult result;
  result.technique = session.technique().id;
  // What is looked up once is no part of it.
  if (auto first = session.observe(**audit); !first) return base::fail(first.error());
  const Clock::time_point begin = Clock::now();
  for (auto next = begin; next - begin < duration;) {
    auto observation = session.observe(**audit);
    if (!observation) return base::fail(observation.error());
    ++result.observations;
    result.collects += observation->consistency.collects;
    result.duration_ns += static_cast<double>(observation->duration_ns);
    result.stopped_ns += static_cast<double>(observation->stopped_ns);
    result.tasks += (*audit)->tasks();
    if (consistency::reached(observation->consistency, session.demand())) {
      ++result.reached;
      count(**audit, result);
    }
    // A guest that was stopped runs on for the interval at least.
    next = observation->stopped_ns > 0 ? Clock::now() + interval
                                       : std::max(next + interval, Clock::now());
    std::this_thread::sleep_until(std::min(next, begin + duration));
  }
  const auto observations = static_cast<double>(result.observations);
  const auto elapsed = static_cast<double>((Clock::now() - begin).count());
  result.stopped_share = result.stopped_ns / elapsed;
  result.tasks /= observations;
  result.collects /= observations;
  result.duration_ns /= observations;
  result.stopped_ns /= observations;
  return result;
}

}  // namespace vitrine::survey
