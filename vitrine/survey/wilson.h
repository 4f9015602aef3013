// The 95% confidence interval of a proportion, by E. B. Wilson's score (1927): sound for few
// samples and for proportions near 0 and 1, as counts of rare events are.
//
// Thread contract: pure function.
#pragma once

#include <cmath>
#include <cstdint>

namespace vitrine::survey {

struct Proportion {
  double share = 0;          // of the trials, 0 to 1
  double low = 0, high = 1;  // its 95% confidence interval
};

// Of `trials` independent ones, `hits` had what is counted. Without trials nothing is known: 0
// to 1.
inline Proportion wilson(std::uint64_t hits, std::uint64_t trials) {
  if (trials == 0) return {};
  constexpr double kZ = 1.959963984540054;
  const auto n = static_cast<double>(trials);
  const double share = static_cast<double>(hits) / n;
  const double scale = 1 + kZ * kZ / n;
  const double middle = (share + kZ * kZ / (2 * n)) / scale;
  const double half = kZ / scale * std::sqrt(share * (1 - share) / n + kZ * kZ / (4 * n * n));
  return {share, hits == 0 ? 0 : middle - half, hits == trials ? 1 : middle + half};
}

}  // namespace vitrine::survey
