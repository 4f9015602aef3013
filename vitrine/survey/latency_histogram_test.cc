#include "vitrine/survey/latency_histogram.h"

#include <gtest/gtest.h>

#include <memory>

namespace vitrine::survey {
namespace {

TEST(LatencyHistogram, PercentilesAreWithinOnePercent) {
  auto histogram = std::make_unique<LatencyHistogram>();
  for (std::uint64_t ns = 1; ns <= 100000; ++ns) histogram->add(ns * 10);
  EXPECT_NEAR(static_cast<double>(histogram->percentile(0.5)), 500000, 5000);
  EXPECT_NEAR(static_cast<double>(histogram->percentile(0.99)), 990000, 9900);
  EXPECT_EQ(histogram->max(), 1000000U);
  EXPECT_EQ(histogram->percentile(1.0), 1000000U);
  EXPECT_EQ(histogram->count(), 100000U);
}

TEST(LatencyHistogram, TakesEveryValue) {
  auto histogram = std::make_unique<LatencyHistogram>();
  for (unsigned bit = 0; bit < 64; ++bit) histogram->add(std::uint64_t{1} << bit);
  histogram->add(0);
  histogram->add(~std::uint64_t{0});
  EXPECT_EQ(histogram->count(), 66U);
  EXPECT_EQ(histogram->percentile(0.0), 0U);
}

TEST(LatencyHistogram, TellsItsSteps) {
  auto histogram = std::make_unique<LatencyHistogram>();
  for (const std::uint64_t ns : {100'000U, 5U, 100'001U, 5U}) histogram->add(ns);
  const auto steps = histogram->steps();
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps[0], (std::pair<std::uint64_t, std::uint64_t>(5, 2)));
  EXPECT_GE(steps[1].first, 100'001U);
  EXPECT_LT(steps[1].first, 101'000U);
  EXPECT_EQ(steps[1].second, 2U);
}

TEST(LatencyHistogram, EmptyIsZero) {
  auto histogram = std::make_unique<LatencyHistogram>();
  EXPECT_EQ(histogram->percentile(0.5), 0U);
}

}  // namespace
}  // namespace vitrine::survey
