// Whether two surveys differ by more than noise, cell by cell.
//
// Of each figure, the runs of a cell in one survey are set against those in the other: Welch's t
// test of their logarithms, since figures of time and rate vary by factors, not by sums. (Figures
// that are zero somewhere have no logarithm and are tested as they are.) A run is taken to be known
// to one percent at best, which is what latencies are kept to: runs that happen to be equal prove
// nothing finer. Many figures are tested at once, so that some would seem to differ by chance:
// probabilities are corrected by Holm's method (1979), so that the chance that any difference is
// told where there is none is at most 5 %, all figures together.
//
// What the runs of a survey have in common is not in their noise: another boot of the same guest
// may differ beyond it.
//
// Thread contract: pure functions.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/survey/study.h"

namespace vitrine::survey {

enum class Difference {
  none,  // not beyond noise
  more,  // in the second survey
  less,
  unknown,  // two runs in each survey are the least that tell what noise is
};

struct Change {
  Cell cell;
  std::string figure;
  double before = 0, after = 0;  // medians
  std::optional<double> ratio;   // after / before; absent where before is 0
  // Of that, with 95 % confidence, for this figure by itself; absent where not known.
  std::optional<double> low, high;
  std::optional<double> chance;  // of such a difference where there is none, corrected
  Difference difference = Difference::unknown;
};

struct FactChange {
  std::string fact;
  std::string before, after;  // empty where the survey does not have it
};

struct Comparison {
  std::vector<Change> changes;                // in the order of the first survey's cells
  std::vector<Cell> only_before, only_after;  // measured in one of them only
  std::vector<FactChange> facts;              // of hosts and guests, that differ
};

// The figures compared where none are named.
std::span<const std::string_view> usual_figures();

// Whether more of the figure is better, as of per_second, or worse, as of times and costs.
bool more_is_better(std::string_view figure);

Comparison compare(const Study& before, const Study& after, std::span<const std::string> figures);

}  // namespace vitrine::survey
