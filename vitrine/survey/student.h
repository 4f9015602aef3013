// Student's t distribution: what the means of few runs are judged by.
//
// Thread contract: pure functions.
#pragma once

#include <cmath>
#include <limits>

namespace vitrine::survey {

// The regularised incomplete beta function I_x(a, b), by the continued fraction of Abramowitz and
// Stegun, 26.5.8, evaluated as W. J. Lentz does (1976). REQUIRES: a, b > 0 and 0 <= x <= 1.
inline double incomplete_beta(double a, double b, double x) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges fast on this side of the mean.
  if (x > (a + 1) / (a + b + 2)) return 1 - incomplete_beta(b, a, 1 - x);
  constexpr double kTiny = 1e-300;
  constexpr double kExact = 1e-14;
  constexpr int kMost = 10000;
  const auto nonzero = [](double value) { return std::abs(value) < kTiny ? kTiny : value; };
  double c = 1;
  double d = 1 / nonzero(1 - (a + b) * x / (a + 1));
  double fraction = d;
  for (int m = 1; m <= kMost; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / nonzero(1 + even * d);
    c = nonzero(1 + even / c);
    fraction *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / nonzero(1 + odd * d);
    c = nonzero(1 + odd / c);
    fraction *= d * c;
    if (std::abs(d * c - 1) < kExact) break;
  }
  const double front = std::exp(a * std::log(x) + b * std::log1p(-x)) / std::beta(a, b);
  return front * fraction / a;
}

// The probability that |t| is at least `t`, with so many degrees of freedom, whole or not.
inline double t_tails(double t, double degrees) {
  return incomplete_beta(degrees / 2, 0.5, degrees / (degrees + t * t));
}

// The t whose tails have the probability `tails` together: 0.05 for an interval of 95 %.
// REQUIRES: 0 < tails <= 1.
inline double t_quantile(double tails, double degrees) {
  double high = 1;
  while (t_tails(high, degrees) > tails && high < std::numeric_limits<double>::max() / 2) high *= 2;
  double low = 0;
  for (int i = 0; i < 80; ++i) {
    const double middle = low + (high - low) / 2;
    (t_tails(middle, degrees) > tails ? low : high) = middle;
  }
  return high;
}

}  // namespace vitrine::survey
