#include "vitrine/survey/comparison.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "vitrine/survey/statistics.h"
#include "vitrine/survey/typical.h"

namespace vitrine::survey {
namespace {

constexpr double kChance = 0.05;

// The difference of two means, and how well it is known.
struct MeanDifference {
  double value = 0;
  double error = 0;  // its standard error
  double degrees = 1;
};

// By B. L. Welch (1947), whose degrees of freedom allow for variances that differ. `least`: the
// least variance that the samples are taken to have. REQUIRES: two of each or more; least > 0.
MeanDifference welch(std::span<const double> before, std::span<const double> after, double least) {
  const auto n = static_cast<double>(before.size());
  const auto m = static_cast<double>(after.size());
  const double one = std::max(variance(before), least) / n;
  const double other = std::max(variance(after), least) / m;
  return {mean(after) - mean(before), std::sqrt(one + other),
          (one + other) * (one + other) / (one * one / (n - 1) + other * other / (m - 1))};
}

double chance_of(const MeanDifference& difference) {
  return t_tails(std::abs(difference.value) / difference.error, difference.degrees);
}

// The variance of what is rounded to `step`.
double variance_of_rounding(double step) { return step * step / 12; }
constexpr double kStep = 0.01;

void test_logarithms(std::vector<double> before, std::vector<double> after, Change& change) {
  for (auto* samples : {&before, &after})
    for (double& sample : *samples) sample = std::log(sample);
  const MeanDifference difference = welch(before, after, variance_of_rounding(kStep));
  const double half = difference.error * t_quantile(kChance, difference.degrees);
  change.chance = chance_of(difference);
  // The interval is that of the geometric means, which few runs tell better than their medians; it
  // is made to hold the ratio of these in any case.
  change.low = std::min(std::exp(difference.value - half), *change.ratio);
  change.high = std::max(std::exp(difference.value + half), *change.ratio);
}

void test_plain(std::span<const double> before, std::span<const double> after, Change& change) {
  double largest = 0;
  for (const auto samples : {before, after})
    for (const double sample : samples) largest = std::max(largest, std::abs(sample));
  change.chance =
      largest == 0 ? 1 : chance_of(welch(before, after, variance_of_rounding(kStep * largest)));
}

std::optional<Change> change_of(const Measured& before, const Measured& after,
                                const std::string& figure) {
  const std::vector<double> had = values(before, figure);
  const std::vector<double> has = values(after, figure);
  if (had.empty() || has.empty()) return std::nullopt;
  Change change;
  change.cell = before.cell;
  change.figure = figure;
  change.before = *median(had);
  change.after = *median(has);
  if (change.before != 0) change.ratio = change.after / change.before;
  if (had.size() < 2 || has.size() < 2) return change;
  const auto positive = [](double value) { return value > 0; };
  if (std::ranges::all_of(had, positive) && std::ranges::all_of(has, positive))
    test_logarithms(had, has, change);
  else
    test_plain(had, has, change);
  return change;
}

// S. Holm's correction: the least chance times how many were tested, the next times one less, and
// so on, none less than the one before.
void correct(std::vector<Change>& changes) {
  std::vector<Change*> tested;
  for (Change& change : changes)
    if (change.chance) tested.push_back(&change);
  std::ranges::sort(tested, {}, [](const Change* change) { return *change->chance; });
  double floor = 0;
  for (std::size_t i = 0; i < tested.size(); ++i) {
    Change& change = *tested[i];
    floor = std::max(floor, std::min(1.0, *change.chance * static_cast<double>(tested.size() - i)));
    change.chance = floor;
    change.difference = floor > kChance                ? Difference::none
                        : change.after > change.before ? Difference::more
                        : change.after < change.before ? Difference::less
                                                       : Difference::none;
  }
}

// What figures depend on, as environment.h names it.
constexpr std::array<std::string_view, 6> kEnvironment{"host_kernel",  "processor_model",
                                                       "processors",   "host_memory_bytes",
                                                       "qemu_version", "accelerator"};

// The facts of a survey and of its guests that figures depend on.
Facts lasting_facts(const Study& study) {
  Facts facts;
  for (const std::string_view fact : kEnvironment)
    if (const auto found = study.facts.find(fact); found != study.facts.end()) facts.insert(*found);
  for (const Guest& guest : study.guests) {
    facts["kernel of " + guest.name] = guest.release;
    facts["memory_bytes of " + guest.name] = std::to_string(guest.memory_bytes);
    facts["processors of " + guest.name] = std::to_string(guest.processors);
  }
  return facts;
}

std::vector<FactChange> changed_facts(const Study& before, const Study& after) {
  std::map<std::string, FactChange> both;
  for (const auto& [fact, value] : lasting_facts(before)) both[fact].before = value;
  for (const auto& [fact, value] : lasting_facts(after)) both[fact].after = value;
  std::vector<FactChange> changed;
  for (const auto& [fact, change] : both)
    if (change.before != change.after) changed.push_back({fact, change.before, change.after});
  return changed;
}

std::map<Cell, const Measured*> measured_cells(const Study& study) {
  std::map<Cell, const Measured*> cells;
  for (const Measured& measured : study.cells)
    if (was_measured(measured)) cells.emplace(measured.cell, &measured);
  return cells;
}

}  // namespace

std::span<const std::string_view> usual_figures() {
  static constexpr std::array<std::string_view, 6> kFigures{
      "per_second", "latency_p50_ns", "latency_p99_ns", "stopped_ns", "cpu_ns", "vmm_cpu_ns"};
  return kFigures;
}

bool more_is_better(std::string_view figure) {
  return figure == "per_second" || figure == "views" || figure == "reached";
}

Comparison compare(const Study& before, const Study& after, std::span<const std::string> figures) {
  Comparison comparison;
  comparison.facts = changed_facts(before, after);
  const auto had = measured_cells(before);
  const auto has = measured_cells(after);
  for (const Measured& measured : before.cells) {
    const auto first = had.find(measured.cell);
    if (first == had.end() || first->second != &measured) continue;
    const auto second = has.find(measured.cell);
    if (second == has.end()) {
      comparison.only_before.push_back(measured.cell);
      continue;
    }
    for (const std::string& figure : figures)
      if (auto change = change_of(measured, *second->second, figure))
        comparison.changes.push_back(std::move(*change));
  }
  for (const auto& [cell, measured] : has)
    if (!had.contains(cell)) comparison.only_after.push_back(cell);
  correct(comparison.changes);
  return comparison;
}

}  // namespace vitrine::survey
