// What few runs of the same tell: their median, and how well it is known.
//
// Thread contract: pure functions.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "vitrine/survey/student.h"

namespace vitrine::survey {

// The value under which `share` (0 to 1) of the samples lie, interpolated between the two nearest
// (definition 7 of Hyndman and Fan, 1996); absent where there is no sample.
inline std::optional<double> percentile(std::span<const double> samples, double share) {
  if (samples.empty()) return std::nullopt;
  std::vector<double> sorted(samples.begin(), samples.end());
  std::ranges::sort(sorted);
  const double place = std::clamp(share, 0.0, 1.0) * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], place - static_cast<double>(below));
}

inline std::optional<double> median(std::span<const double> samples) {
  return percentile(samples, 0.5);
}

// REQUIRES: samples.
inline double mean(std::span<const double> samples) {
  double sum = 0;
  for (const double sample : samples) sum += sample;
  return sum / static_cast<double>(samples.size());
}

// Of the samples' distribution, as estimated from them. REQUIRES: two samples or more.
inline double variance(std::span<const double> samples) {
  const double middle = mean(samples);
  double squares = 0;
  for (const double sample : samples) squares += (sample - middle) * (sample - middle);
  return squares / static_cast<double>(samples.size() - 1);
}

struct Interval {
  double middle = 0;      // the median
  double low = 0;         // of its interval; minus infinity and infinity where one run was made,
  double high = 0;        // which tells nothing of how much runs differ
  double confidence = 0;  // what the interval is sure to have at least, 0 to 1
};

// The median and an interval that holds the distribution's own with at least 95 % confidence;
// absent where there is no sample.
//
// From six samples on it lies between two order statistics, which holds for every distribution
// (W. R. Thompson, 1936; David and Nagaraja, Order Statistics, 7.1): the true median lies outside
// of x(r) and x(n+1-r) only if fewer than r of n samples fall on one side of it, as fair coins
// would. With fewer than six even the smallest and the largest do not reach 95 %. There, Student's
// interval of the mean stands in, which takes the runs to be normally distributed: bootstrapping so
// few would only resample what they lack. It always holds the samples' median, which is within
// one standard deviation of their mean.
inline std::optional<Interval> median_interval(std::span<const double> samples) {
  constexpr double kConfidence = 0.95;
  const std::size_t count = samples.size();
  if (count == 0) return std::nullopt;
  const double middle = *median(samples);
  if (count == 1)
    return Interval{middle, -std::numeric_limits<double>::infinity(),
                    std::numeric_limits<double>::infinity(), 1};
  const auto n = static_cast<double>(count);
  // Of n coins, the chance that just `rank - 1` show heads (its logarithm), and that fewer do than
  // `rank`.
  double shown = -n * std::log(2.0);
  double outside = std::exp(shown);
  if (1 - 2 * outside < kConfidence) {
    const double half = t_quantile(1 - kConfidence, n - 1) * std::sqrt(variance(samples) / n);
    return Interval{middle, mean(samples) - half, mean(samples) + half, kConfidence};
  }
  std::size_t rank = 1;
  for (;; ++rank) {
    const auto heads = static_cast<double>(rank);
    shown += std::log((n - heads + 1) / heads);
    if (1 - 2 * (outside + std::exp(shown)) < kConfidence) break;
    outside += std::exp(shown);
  }
  std::vector<double> sorted(samples.begin(), samples.end());
  std::ranges::sort(sorted);
  return Interval{middle, sorted[rank - 1], sorted[count - rank], 1 - 2 * outside};
}

}  // namespace vitrine::survey
