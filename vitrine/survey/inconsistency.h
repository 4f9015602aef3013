// How often what is seen of a guest's tasks does not fit together, by kind and by the way of
// looking: the study of the paper's consistency chapter on one VM.
//
// Thread contract: runs in the calling thread. Effect on the guest: that of each mode, so many
// times a second for the time asked for; the stops that it costs are measured.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "vitrine/base/result.h"
#include "vitrine/consistency/task_audit.h"
#include "vitrine/session/session.h"

namespace vitrine::survey {

// A way of looking.
struct Mode {
  std::string_view name;
  std::string_view description;
  bool copies = false;  // through a copy of the VMM, whatever technique is chosen
  session::Pausing pause = session::Pausing::none;
  bool atomic = false;
  bool quiescent = false;
};

// Live, atomic, quiescent, frozen, paused by the monitor, copied.
std::span<const Mode> modes();

// What was counted of one kind.
struct KindCount {
  std::uint64_t observations = 0;  // in which it was met
  std::uint64_t occurrences = 0;   // of all tasks in all observations
};

// Means are per observation.
struct ModeResult {
  std::string technique;
  std::uint64_t observations = 0;
  std::uint64_t reached = 0;    // that met what their mode asks for
  std::uint64_t intrinsic = 0;  // with at least one kind of these
  std::uint64_t extrinsic = 0;
  std::array<KindCount, consistency::kKinds> kinds{};
  double tasks = 0;
  double collects = 0;
  double duration_ns = 0;
  double stopped_ns = 0;     // of the guest
  double stopped_share = 0;  // of the time that the mode was used, 0 to 1
};

// Observes in one mode for `duration`, `interval` from one to the next, and counts. Observations
// that do not reach what their mode asks for are counted as such, and their kinds are not.
// Errors: as Session::open and Session::observe.
base::Result<ModeResult> count_inconsistency(std::string_view vm, session::Options options,
                                             const Mode& mode, std::chrono::nanoseconds duration,
                                             std::chrono::nanoseconds interval);

// The same on an open session, in its own way of looking.
base::Result<ModeResult> count_inconsistency(session::Session& session,
                                             std::chrono::nanoseconds duration,
                                             std::chrono::nanoseconds interval);

}  // namespace vitrine::survey
