// Durations counted in buckets whose width is under one percent of their value: constant space for
// any number of samples.
//
// Thread contract: one thread at a time.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace vitrine::survey {

class LatencyHistogram {
 public:
  void add(std::uint64_t ns) {
    ++buckets_[bucket(ns)];
    ++count_;
    max_ = ns > max_ ? ns : max_;
  }

  // The smallest bucket's upper edge under which `share` (0 to 1) of the samples lie; 0 if empty.
  std::uint64_t percentile(double share) const {
    const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(count_));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      seen += buckets_[i];
      if (seen > wanted || (seen == count_ && count_ > 0)) {
        const std::uint64_t edge = upper_edge(i);
        return edge < max_ ? edge : max_;
      }
    }
    return 0;
  }

  // The buckets that hold samples: their upper edges, ascending, and how many.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> steps() const {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> all;
    for (std::size_t i = 0; i < buckets_.size(); ++i)
      if (buckets_[i] > 0) all.emplace_back(upper_edge(i), buckets_[i]);
    return all;
  }

  std::uint64_t count() const { return count_; }
  std::uint64_t max() const { return max_; }

 private:
  static constexpr unsigned kStepBits = 7;  // 128 steps per power of two
  static constexpr std::size_t kSteps = 1u << kStepBits;

  static std::size_t bucket(std::uint64_t ns) {
    if (ns < kSteps) return ns;
    const auto shift = static_cast<unsigned>(std::bit_width(ns)) - kStepBits - 1;
    return (shift + 1) * kSteps + (ns >> shift) - kSteps;
  }
  static std::uint64_t upper_edge(std::size_t index) {
    if (index < kSteps) return index;
    const std::size_t shift = index / kSteps - 1;
    return ((index % kSteps + kSteps + 1) << shift) - 1;
  }

  std::array<std::uint64_t, kSteps*(64 - kStepBits + 1)> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace vitrine::survey
