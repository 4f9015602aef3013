// What a survey of one VM is to measure: every technique that can be tried, in the ways in which it
// can be used, so that what was not measured shows.
//
// Thread contract: pure functions.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/survey/study.h"
#include "vitrine/techniques/technique.h"

namespace vitrine::survey {

// A technique, and whether it can be used on the VM: the error says why not.
struct Candidate {
  const techniques::Description* about;
  base::Result<void> usable;
};

// Nobody knows what a guest is busy with that somebody else runs.
inline constexpr std::string_view kAsFound = "as found";

// The view whose techniques are compared in every way.
inline constexpr std::string_view kMainView = "processes";

enum class Paces {
  flat_out,  // as often as possible only
  all,       // also so many times a second
};

// Every cell of a survey of `guest`, grouped by view; what can't be used has a run already, which
// is refused and says why:
// - each technique and view as often as possible; live ones also with the guest stopped, by the
//   monitor and by freezing the VMM;
// - for the processes alone: passive techniques with each demand; these and a few others 1, 10 and
//   100 times a second.
// What changes the VM for good is always refused.
std::vector<Measured> plan_cells(const std::string& guest, std::span<const Candidate> candidates,
                                 const std::vector<std::string>& views, Paces paces = Paces::all);

// How long a run of the cell lasts where observations are to be made for `shortest` at least: one
// that is paced takes long enough for a few.
std::chrono::nanoseconds run_time(const Cell& cell, std::chrono::nanoseconds shortest);

// Whether runs of the cell look for what does not fit together, too.
bool is_audited(const Cell& cell);

}  // namespace vitrine::survey
