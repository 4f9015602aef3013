// What a survey measured of one way of looking, on every guest and at every work together: the
// worst of each.
//
// Thread contract: plain values; a WayFigures may not outlive its study.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "vitrine/survey/study.h"

namespace vitrine::survey {

class WayFigures {
 public:
  // `cells` are all of the way. `frequency_hz`: what is asked for, if anything is.
  WayFigures(const std::vector<const Measured*>& cells, std::optional<double> frequency_hz);

  // No cell was measured.
  bool empty() const { return near_.empty(); }

  // How often the way could be had, where that was least; no more than what it was asked for.
  std::optional<double> per_second() const { return per_second_; }
  // Whether it was ever asked for more than it sustained, or for `hz`, on each guest.
  bool was_pressed(double hz) const;

  // The largest of a figure in the cells nearest to the frequency asked for; absent where one of
  // them lacks it.
  std::optional<double> worst(std::string_view figure) const;
  // The least share of observations that met the demand; absent where it is not known.
  std::optional<double> reached() const;

  std::vector<Cell> evidence() const;

 private:
  std::vector<const Measured*> near_;     // a guest and a work each
  std::vector<const Measured*> fastest_;  // likewise, of all frequencies
  std::optional<double> per_second_;
};

}  // namespace vitrine::survey
