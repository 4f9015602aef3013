#include "vitrine/survey/plan.h"

#include <algorithm>
#include <array>
#include <optional>

#include "vitrine/session/attach.h"

namespace vitrine::survey {
namespace {

using session::Pausing;
using techniques::Description;
using techniques::Effect;

constexpr std::array<double, 3> kFrequencies{1, 10, 100};
constexpr double kLeastObservations = 2;
// Beside the passive ones: a copy of one instant, and the two ways through the manager that need
// no copy.
constexpr std::array<std::string_view, 3> kPacedToo{"fork", "gdb", "qmp"};

struct Pause {
  Pausing how;
  const char* name;
};
constexpr std::array<Pause, 3> kPauses{
    {{Pausing::none, "none"}, {Pausing::freeze, "freeze"}, {Pausing::vmm, "vmm"}}};

std::optional<base::Error> refusal(const Candidate& candidate, Pausing pause) {
  const Description& about = *candidate.about;
  // First, since that is so whether or not the VM allows for it.
  if (about.effect == Effect::persistent)
    return base::Error{base::Code::invalid,
                       "it changes the VM for as long as it runs, which a survey never does",
                       "vitrine ps VM --technique " + std::string(about.id) +
                           " --allow-persistent-change does it, and another survey shows what "
                           "it brought"};
  if (!candidate.usable) return candidate.usable.error();
  if (auto allowed = session::check_pause(about, pause); !allowed) return allowed.error();
  return std::nullopt;
}

class Planner {
 public:
  Planner(const std::string& guest, std::vector<Measured>& cells) : guest_(guest), cells_(cells) {}

  void add(const Candidate& candidate, const std::string& view, const Pause& pause = kPauses[0],
           const char* demand = "none", double frequency_hz = 0) {
    Measured planned{{guest_, std::string(kAsFound), view, std::string(candidate.about->id),
                      pause.name, demand, frequency_hz},
                     {}};
    if (const auto why = refusal(candidate, pause.how)) {
      Run run;
      run.state = State::refused;
      run.reason = base::to_string(*why);
      planned.runs.push_back(std::move(run));
    }
    cells_.push_back(std::move(planned));
  }

 private:
  const std::string& guest_;
  std::vector<Measured>& cells_;
};

bool passive(const Candidate& candidate) { return candidate.about->effect == Effect::passive; }

bool paced(const Candidate& candidate) {
  return passive(candidate) || std::ranges::find(kPacedToo, candidate.about->id) != kPacedToo.end();
}

// As often as possible, with each pause that makes sense.
void add_flat_out(Planner& planner, const Candidate& candidate, const std::string& view) {
  for (const Pause& pause : kPauses)
    // What is of one instant anyway gains nothing by a pause.
    if (pause.how == Pausing::none ||
        (!candidate.about->one_instant && !refusal(candidate, Pausing::none)))
      planner.add(candidate, view, pause);
}

// With demands, and so many times a second.
void add_other_ways(Planner& planner, const Candidate& candidate, const std::string& view,
                    Paces paces) {
  if (passive(candidate))
    for (const char* demand : {"atomic", "quiescent"})
      planner.add(candidate, view, kPauses[0], demand);
  if (paces == Paces::flat_out || !paced(candidate)) return;
  for (const double frequency : kFrequencies)
    planner.add(candidate, view, kPauses[0], "none", frequency);
}

}  // namespace

std::vector<Measured> plan_cells(const std::string& guest, std::span<const Candidate> candidates,
                                 const std::vector<std::string>& views, Paces paces) {
  std::vector<Measured> cells;
  Planner planner(guest, cells);
  for (const std::string& view : views) {
    for (const Candidate& candidate : candidates) add_flat_out(planner, candidate, view);
    if (view != kMainView) continue;
    for (const Candidate& candidate : candidates)
      if (!refusal(candidate, Pausing::none)) add_other_ways(planner, candidate, view, paces);
  }
  return cells;
}

std::chrono::nanoseconds run_time(const Cell& cell, std::chrono::nanoseconds shortest) {
  if (cell.frequency_hz <= 0) return shortest;
  const std::chrono::duration<double> enough(kLeastObservations / cell.frequency_hz);
  return std::max(shortest, std::chrono::duration_cast<std::chrono::nanoseconds>(enough));
}

bool is_audited(const Cell& cell) { return cell.view == kMainView && cell.frequency_hz == 0; }

}  // namespace vitrine::survey
