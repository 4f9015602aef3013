#include "vitrine/survey/typical.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "vitrine/survey/statistics.h"

namespace vitrine::survey {
namespace {

// `value` in three digits, in the largest of units, each a thousand times the one before, that it
// reaches.
std::string scaled(double value, std::span<const std::string_view> units) {
  if (value == 0) return fmt::format("0 {}", units.front());
  const double digits = std::pow(10, 2 - std::floor(std::log10(std::abs(value))));
  double rounded = std::round(value * digits) / digits;
  std::size_t unit = 0;
  while (std::abs(rounded) >= 1000 && unit + 1 < units.size()) {
    rounded /= 1000;
    ++unit;
  }
  return fmt::format("{:.6g} {}", rounded, units[unit]);
}

}  // namespace

std::vector<double> values(const Measured& measured, std::string_view figure) {
  std::vector<double> all;
  for (const Run& run : measured.runs) {
    const auto found = run.figures.find(figure);
    if (run.state == State::measured && found != run.figures.end()) all.push_back(found->second);
  }
  return all;
}

std::optional<double> typical(const Measured& measured, std::string_view figure) {
  return median(values(measured, figure));
}

bool was_measured(const Measured& measured) {
  return std::ranges::any_of(measured.runs,
                             [](const Run& run) { return run.state == State::measured; });
}

std::string duration_text(double ns) {
  constexpr std::array<std::string_view, 4> kUnits{"ns", "us", "ms", "s"};
  return scaled(ns, kUnits);
}

std::string frequency_text(double hz) {
  constexpr std::array<std::string_view, 3> kUnits{"Hz", "kHz", "MHz"};
  return scaled(hz, kUnits);
}

std::string share_text(double share) {
  constexpr std::array<std::string_view, 1> kUnits{"%"};
  return scaled(share * 100, kUnits);
}

std::string way_text(const Cell& cell) {
  return cell.technique + (cell.pause == "none" ? "" : " --pause=" + cell.pause) +
         (cell.demand == "none" ? "" : " --" + cell.demand);
}

std::string cell_text(const Cell& cell) {
  return fmt::format(
      "{}, {} of {}, {}, {}", way_text(cell), cell.view, cell.guest, cell.workload,
      cell.frequency_hz == 0 ? "flat out" : "at " + frequency_text(cell.frequency_hz));
}

}  // namespace vitrine::survey
