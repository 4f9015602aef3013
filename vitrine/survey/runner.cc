#include "vitrine/survey/runner.h"

#include <algorithm>

#include "vitrine/survey/statistics.h"
#include "vitrine/survey/typical.h"

namespace vitrine::survey {
namespace {

using std::chrono::nanoseconds;

// A way of looking that failed twice in a row is not tried a third time.
constexpr std::size_t kMostFailures = 2;

nanoseconds took(const Run& run) {
  const auto figure = run.figures.find("took_ns");
  return nanoseconds(figure == run.figures.end() ? 0 : static_cast<std::int64_t>(figure->second));
}

nanoseconds took(const Measured& measured) {
  nanoseconds sum{};
  for (const Run& run : measured.runs) sum += took(run);
  return sum;
}

nanoseconds took(const Study& study) {
  nanoseconds sum{};
  for (const Measured& each : study.cells) sum += took(each);
  return sum;
}

bool is_tight(const Measured& measured, const Limits& limits) {
  const std::vector<double> rates = values(measured, "per_second");
  if (rates.size() < limits.fewest) return false;
  const auto interval = median_interval(rates);
  const double allowed = interval->middle * limits.tight;
  return interval->high - interval->middle <= allowed &&
         interval->middle - interval->low <= allowed;
}

// Whether another run of a cell that has runs would tell nothing, or cost too much.
bool is_done(const Measured& measured, const Limits& limits) {
  const std::vector<Run>& runs = measured.runs;
  if (runs.empty()) return false;
  if (runs.back().state == State::refused || runs.size() >= limits.most) return true;
  const std::size_t last = std::min(runs.size(), kMostFailures);
  const bool fails = std::all_of(runs.end() - static_cast<std::ptrdiff_t>(last), runs.end(),
                                 [](const Run& run) { return run.state == State::failed; });
  if (fails && runs.size() >= kMostFailures) return true;
  const auto share = std::chrono::duration<double, std::nano>(limits.time) * limits.cell_share;
  // The next one takes about as long as those before, and must fit as well.
  const auto next = took(measured) / runs.size();
  return took(measured) + next > share || is_tight(measured, limits);
}

// The cell whose turn it is: of those with the fewest runs, the first. Null at the end.
const Measured* next_cell(const Study& study, const Limits& limits) {
  const Measured* next = nullptr;
  for (const Measured& each : study.cells)
    if (!is_done(each, limits) && (next == nullptr || each.runs.size() < next->runs.size()))
      next = &each;
  if (next != nullptr && !next->runs.empty() && took(study) >= limits.time) return nullptr;
  return next;
}

// As if each cell that is not done took as many runs as it may, and one that was never run as long
// as the others' first.
nanoseconds remaining(const Study& study, const Limits& limits) {
  nanoseconds sum{};
  nanoseconds first{};
  std::int64_t begun = 0;
  for (const Measured& each : study.cells)
    if (!each.runs.empty() && each.runs.front().state != State::refused) {
      first += took(each.runs.front());
      ++begun;
    }
  const auto usual = begun > 0 ? first / begun : nanoseconds(std::chrono::seconds(1));
  nanoseconds firsts{};
  for (const Measured& each : study.cells) {
    if (is_done(each, limits)) continue;
    const auto runs = static_cast<std::int64_t>(each.runs.size());
    const auto one = runs > 0 ? took(each) / runs : usual;
    if (runs == 0) firsts += usual;
    sum += one * (static_cast<std::int64_t>(limits.most) - runs);
  }
  return std::min(sum, std::max(firsts, limits.time - took(study)));
}

}  // namespace

std::size_t missing(const Study& study) {
  return static_cast<std::size_t>(
      std::ranges::count_if(study.cells, [](const Measured& each) { return each.runs.empty(); }));
}

base::Result<Ended> run_survey(StudyFile& file, Measurer& measurer, const Limits& limits,
                               const std::function<bool(const Progress&)>& go_on) {
  while (const Measured* next = next_cell(file.study(), limits)) {
    const Cell cell = next->cell;
    const Progress progress{&cell, next->runs.size() + 1, missing(file.study()), took(file.study()),
                            remaining(file.study(), limits)};
    if (!go_on(progress)) return Ended::interrupted;
    auto run = measurer.measure(cell);
    if (!run) return base::fail(run.error());
    if (auto kept = file.append(cell, *run); !kept) return base::fail(kept.error());
  }
  return Ended::complete;
}

}  // namespace vitrine::survey
