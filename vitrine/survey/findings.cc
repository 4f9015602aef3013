#include "vitrine/survey/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "vitrine/survey/typical.h"
#include "vitrine/survey/wilson.h"
#include "vitrine/techniques/technique.h"

namespace vitrine::survey {
namespace {

using List = std::vector<const Measured*>;

// One comparison that bears on a statement.
struct Case {
  Verdict verdict;
  std::string text;
  std::vector<Cell> evidence;
};

// Adds what is not there yet.
void add_evidence(const Case& one, Finding& finding) {
  for (const Cell& cell : one.evidence)
    if (std::ranges::find(finding.evidence, cell) == finding.evidence.end())
      finding.evidence.push_back(cell);
}

// What all of a statement's cases say together: what they do not agree on holds in part.
Finding concluded(std::string statement, const std::vector<Case>& cases, std::string missing) {
  constexpr std::size_t kMostTold = 8;
  Finding finding{std::move(statement), Verdict::unknown, std::move(missing), {}};
  std::vector<const Case*> known;
  for (const Case& one : cases)
    if (one.verdict != Verdict::unknown) known.push_back(&one);
  std::ranges::stable_sort(known, {}, [](const Case* one) { return one->verdict; });
  if (known.empty()) {
    if (!cases.empty()) finding.explanation = cases.front().text;
    return finding;
  }
  finding.verdict = known.front()->verdict;
  finding.explanation.clear();
  for (std::size_t i = 0; i < known.size(); ++i) {
    const Case& one = *known[i];
    if (one.verdict != finding.verdict) finding.verdict = Verdict::refined;
    const bool turns = i > 0 && one.verdict != known[i - 1]->verdict;
    if (i < kMostTold || turns)
      finding.explanation += (i == 0 ? "" : turns ? "; but " : "; ") + one.text;
    add_evidence(one, finding);
  }
  if (known.size() > kMostTold)
    finding.explanation += fmt::format("; {} comparisons in all", known.size());
  return finding;
}

// Three digits, without an exponent.
std::string factor_text(double factor) {
  if (factor < 1000) return fmt::format("{:.3g}", factor);
  const double digits = std::pow(10, std::floor(std::log10(factor)) - 2);
  return fmt::format("{:.0f}", std::round(factor / digits) * digits);
}

// Ways are compared with each other only where they looked at the same.
using Place = std::tuple<std::string, std::string, std::string, double>;

Place place_of(const Cell& cell) {
  return {cell.guest, cell.workload, cell.view, cell.frequency_hz};
}

std::string at(const Cell& cell) {
  return fmt::format("{} of {}, {}", cell.view, cell.guest, cell.workload);
}

std::string_view class_of(const Cell& cell) {
  const auto technique = techniques::find(cell.technique);
  return technique ? (*technique)->description().technique_class : std::string_view();
}

bool is_plain(const Cell& cell) { return cell.pause == "none" && cell.demand == "none"; }

// The cells of techniques as they are, observing as fast as they go, that have that figure, by
// place.
std::map<Place, List> plain_flat_out(const Study& study, std::string_view figure) {
  std::map<Place, List> places;
  for (const Measured& measured : study.cells)
    if (is_plain(measured.cell) && measured.cell.frequency_hz == 0 && typical(measured, figure))
      places[place_of(measured.cell)].push_back(&measured);
  return places;
}

List of_class(const List& cells, std::string_view technique_class) {
  List chosen;
  std::ranges::copy_if(cells, std::back_inserter(chosen), [&](const Measured* measured) {
    return class_of(measured->cell).ends_with(technique_class);
  });
  return chosen;
}

double rate_of(const Measured* measured) { return *typical(*measured, "per_second"); }

Finding range_between_techniques(const Study& study) {
  constexpr double kFar = 100;
  constexpr double kSome = 10;
  std::vector<Case> cases;
  for (const auto& [place, cells] : plain_flat_out(study, "per_second")) {
    if (cells.size() < 2) continue;
    const auto [slow, fast] = std::ranges::minmax(cells, {}, rate_of);
    if (rate_of(slow) <= 0) continue;
    const double factor = rate_of(fast) / rate_of(slow);
    cases.push_back(
        {factor >= kFar    ? Verdict::confirmed
         : factor >= kSome ? Verdict::refined
                           : Verdict::refuted,
         fmt::format("{}: from {} at {} to {} at {}, a factor of {}", at(fast->cell),
                     slow->cell.technique, frequency_text(rate_of(slow)), fast->cell.technique,
                     frequency_text(rate_of(fast)), factor_text(factor)),
         {slow->cell, fast->cell}});
  }
  return concluded(
      "How often a guest can be observed differs between techniques by orders of magnitude.", cases,
      "No two techniques were measured flat out on the same guest.");
}

// Whether every technique of one class, in every run, is faster than any of the other.
Finding faster(std::string statement, const Study& study, std::string_view fast_class,
               std::string_view slow_class) {
  std::vector<Case> cases;
  for (const auto& [place, cells] : plain_flat_out(study, "per_second")) {
    const List fast = of_class(cells, fast_class);
    const List slow = of_class(cells, slow_class);
    if (fast.empty() || slow.empty()) continue;
    const Measured* slowest = std::ranges::min(fast, {}, rate_of);
    const Measured* best = std::ranges::max(fast, {}, rate_of);
    const Measured* rival = std::ranges::max(slow, {}, rate_of);
    const bool all = std::ranges::min(values(*slowest, "per_second")) >
                     std::ranges::max(values(*rival, "per_second"));
    const bool some = rate_of(best) > rate_of(rival);
    cases.push_back({all    ? Verdict::confirmed
                     : some ? Verdict::refined
                            : Verdict::refuted,
                     fmt::format("{}: {} sustains {}, {} {}", at(best->cell), best->cell.technique,
                                 frequency_text(rate_of(best)), rival->cell.technique,
                                 frequency_text(rate_of(rival))) +
                         (some && !all ? fmt::format(", but {} only {}", slowest->cell.technique,
                                                     frequency_text(rate_of(slowest)))
                                       : ""),
                     {best->cell, slowest->cell, rival->cell}});
  }
  return concluded(std::move(statement), cases,
                   fmt::format("Not both kinds ({}, {}) were measured flat out on the same guest.",
                               fast_class, slow_class));
}

// Calls `tell` with each cell without a pause and the same with one.
void each_pause(const Study& study,
                const std::function<void(const Measured& live, const Measured& paused)>& tell) {
  for (const Measured& live : study.cells) {
    if (!is_plain(live.cell)) continue;
    for (const Measured& paused : study.cells) {
      Cell same = paused.cell;
      same.pause = "none";
      if (paused.cell.pause != "none" && same == live.cell) tell(live, paused);
    }
  }
}

Finding cost_of_pausing(const Study& study) {
  std::vector<Case> cases;
  each_pause(study, [&](const Measured& live, const Measured& paused) {
    const auto before = typical(live, "latency_p50_ns");
    const auto after = typical(paused, "latency_p50_ns");
    if (!before || !after || live.cell.frequency_hz != 0) return;
    const auto stopped = typical(paused, "stopped_ns");
    cases.push_back({*after >= 2 * *before ? Verdict::confirmed : Verdict::refuted,
                     fmt::format("{}, {}: {} instead of {} an observation{}", way_text(paused.cell),
                                 at(paused.cell), duration_text(*after), duration_text(*before),
                                 stopped ? ", the guest stopped for " + duration_text(*stopped)
                                         : std::string()),
                     {live.cell, paused.cell}});
  });
  return concluded("Pausing the guest for an observation takes longer than the observation itself.",
                   cases, "No technique was measured flat out both with a pause and without.");
}

// Of the observations of all runs that were audited, the share that met something of `kind`.
struct Audit {
  std::uint64_t audited = 0;
  Proportion met;
};
std::optional<Audit> audit_of(const Measured& measured, std::string_view kind) {
  double audited = 0;
  double met = 0;
  for (const Run& run : measured.runs) {
    const auto of = run.figures.find("audited");
    const auto hits = run.figures.find(kind);
    if (run.state != State::measured || of == run.figures.end() || hits == run.figures.end())
      continue;
    audited += of->second;
    met += hits->second;
  }
  if (audited < 1 || met < 0 || met > audited) return std::nullopt;
  const auto trials = static_cast<std::uint64_t>(audited);
  return Audit{trials, wilson(static_cast<std::uint64_t>(met), trials)};
}

// Pausing can remove the extrinsic kinds alone. What it removes is little where it is less than a
// hundredth of the observations, or less than what it leaves; the bounds are Wilson's.
Verdict judged_pause(const Proportion& live, const Proportion& paused, double left) {
  constexpr double kLittle = 0.01;
  if (live.high - paused.low <= kLittle) return Verdict::confirmed;
  if (live.low <= paused.high) return Verdict::unknown;
  const double removed = live.share - paused.share;
  if (removed <= kLittle) return Verdict::confirmed;
  return removed < left ? Verdict::refined : Verdict::refuted;
}

Finding worth_of_pausing(const Study& study) {
  std::vector<Case> cases;
  each_pause(study, [&](const Measured& live, const Measured& paused) {
    const auto moved = audit_of(live, "extrinsic");
    const auto still = audit_of(paused, "extrinsic");
    const auto own = audit_of(live, "intrinsic");
    const auto own_still = audit_of(paused, "intrinsic");
    if (!moved || !still || !own || !own_still) return;
    const Verdict verdict =
        judged_pause(moved->met, still->met, std::max(own_still->met.share, still->met.share));
    std::string text = fmt::format(
        "{}, {}: observations that do not fit together because the guest moved {} paused instead "
        "of {} live, because of what it was at itself {} instead of {} ({} and {} audited)",
        way_text(paused.cell), at(paused.cell), share_text(still->met.share),
        share_text(moved->met.share), share_text(own_still->met.share), share_text(own->met.share),
        still->audited, moved->audited);
    if (verdict == Verdict::unknown)
      text = "Too few observations were audited to tell: " + std::move(text);
    cases.push_back({verdict, std::move(text), {live.cell, paused.cell}});
  });
  return concluded(
      "Pause-and-introspect achieves very little to improve consistency despite its performance "
      "impact.",
      cases, "No technique had its observations audited both with a pause and without.");
}

Finding halting_snapshots(const Study& study) {
  std::vector<Case> cases;
  for (const auto& [place, cells] : plain_flat_out(study, "stopped_ns"))
    for (const Measured* one : of_class(cells, "halting snapshot")) {
      const auto took = typical(*one, "latency_p50_ns");
      const double stopped = *typical(*one, "stopped_ns");
      if (!took) continue;
      cases.push_back({stopped >= *took / 2 ? Verdict::confirmed : Verdict::refuted,
                       fmt::format("{}, {}: stopped for {} of {}", one->cell.technique,
                                   at(one->cell), duration_text(stopped), duration_text(*took)),
                       {one->cell}});
    }
  return concluded("A halting snapshot stops the guest for most of the time that it takes.", cases,
                   "No halting snapshot was measured flat out.");
}

Finding live_snapshots(const Study& study) {
  constexpr double kFraction = 0.1;
  std::vector<Case> cases;
  const auto stop_of = [](const Measured* measured) { return *typical(*measured, "stopped_ns"); };
  for (const auto& [place, cells] : plain_flat_out(study, "stopped_ns")) {
    const List live = of_class(cells, "live snapshot");
    const List halting = of_class(cells, "halting snapshot");
    if (live.empty() || halting.empty()) continue;
    const Measured* longest = std::ranges::max(live, {}, stop_of);
    const Measured* shortest = std::ranges::min(halting, {}, stop_of);
    const double share = stop_of(longest) / std::max(stop_of(shortest), 1.0);
    cases.push_back({share <= kFraction ? Verdict::confirmed
                     : share < 1        ? Verdict::refined
                                        : Verdict::refuted,
                     fmt::format("{}: {} stops it for {}, {} for {}", at(longest->cell),
                                 longest->cell.technique, duration_text(stop_of(longest)),
                                 shortest->cell.technique, duration_text(stop_of(shortest))),
                     {longest->cell, shortest->cell}});
  }
  return concluded("A live snapshot stops the guest for a fraction of what a halting one does.",
                   cases,
                   "Not both a live and a halting snapshot were measured on the same guest.");
}

}  // namespace

std::string_view name(Verdict verdict) {
  switch (verdict) {
    case Verdict::confirmed:
      return "confirmed";
    case Verdict::refined:
      return "refined";
    case Verdict::refuted:
      return "refuted";
    case Verdict::unknown:
      return "unknown";
  }
  return "";
}

std::vector<Finding> findings(const Study& study) {
  return {
      range_between_techniques(study),
      faster("Reading mapped memory is faster than having it read by the host's kernel.", study,
             "live memory mapping", "live direct reads"),
      faster("Reading memory directly is faster than reading it through the VM's manager.", study,
             "live direct reads", "live reads through the manager's interface"),
      faster("Reading live memory directly is faster than taking snapshots.", study,
             "live direct reads", "snapshot"),
      halting_snapshots(study),
      live_snapshots(study),
      cost_of_pausing(study),
      worth_of_pausing(study),
  };
}

}  // namespace vitrine::survey
