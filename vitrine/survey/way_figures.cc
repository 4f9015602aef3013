#include "vitrine/survey/way_figures.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "vitrine/survey/typical.h"

namespace vitrine::survey {
namespace {

// A cell that is not timed is as fast as it goes.
double asked(const Measured& measured) {
  return measured.cell.frequency_hz > 0 ? measured.cell.frequency_hz
                                        : std::numeric_limits<double>::infinity();
}

// How far a cell's frequency is from the one asked for: both count as what was sustained.
double distance(const Measured& measured, std::optional<double> frequency_hz) {
  if (!frequency_hz) return -asked(measured);
  const double had = typical(measured, "per_second").value_or(measured.cell.frequency_hz);
  return std::abs(std::log(std::max(had, 1e-9) / std::max(*frequency_hz, 1e-9)));
}

}  // namespace

WayFigures::WayFigures(const std::vector<const Measured*>& cells,
                       std::optional<double> frequency_hz) {
  std::map<std::pair<std::string, std::string>, std::vector<const Measured*>> places;
  for (const Measured* measured : cells)
    if (was_measured(*measured))
      places[{measured->cell.guest, measured->cell.workload}].push_back(measured);
  for (const auto& [place, there] : places) {
    near_.push_back(*std::ranges::min_element(
        there, {}, [&](const Measured* measured) { return distance(*measured, frequency_hz); }));
    fastest_.push_back(*std::ranges::max_element(there, {}, [](const Measured* measured) {
      return typical(*measured, "per_second").value_or(0);
    }));
  }
  for (const Measured* measured : fastest_) {
    const auto had = typical(*measured, "per_second");
    if (!had) {
      per_second_.reset();
      break;
    }
    per_second_ = std::min(per_second_.value_or(*had), *had);
  }
}

bool WayFigures::was_pressed(double hz) const {
  return std::ranges::all_of(fastest_, [hz](const Measured* measured) {
    return asked(*measured) >= hz ||
           typical(*measured, "per_second").value_or(0) < 0.95 * asked(*measured);
  });
}

std::optional<double> WayFigures::worst(std::string_view figure) const {
  std::optional<double> worst;
  for (const Measured* measured : near_) {
    const auto had = typical(*measured, figure);
    if (!had) return std::nullopt;
    worst = std::max(worst.value_or(*had), *had);
  }
  return worst;
}

std::optional<double> WayFigures::reached() const {
  std::optional<double> least;
  for (const Measured* measured : near_)
    for (const Run& run : measured->runs) {
      if (run.state != State::measured) continue;
      const auto views = run.figures.find("views");
      const auto reached = run.figures.find("reached");
      if (views == run.figures.end() || reached == run.figures.end() || views->second <= 0)
        return std::nullopt;
      const double share = reached->second / views->second;
      least = std::min(least.value_or(share), share);
    }
  return least;
}

std::vector<Cell> WayFigures::evidence() const {
  std::vector<Cell> cells;
  for (const auto* list : {&near_, &fastest_})
    for (const Measured* measured : *list)
      if (std::ranges::find(cells, measured->cell) == cells.end()) cells.push_back(measured->cell);
  return cells;
}

}  // namespace vitrine::survey
