#include "vitrine/survey/statistics.h"

#include <gtest/gtest.h>

#include <random>

namespace vitrine::survey {
namespace {

using Samples = std::vector<double>;

TEST(Statistics, NothingIsKnownWithoutSamples) {
  EXPECT_FALSE(median(Samples{}));
  EXPECT_FALSE(median_interval(Samples{}));
}

TEST(Statistics, PercentilesLieBetweenSamples) {
  EXPECT_EQ(median(Samples{3, 1, 2}), 2);
  EXPECT_EQ(median(Samples{4, 1, 2, 3}), 2.5);
  EXPECT_EQ(percentile(Samples{10, 20, 30, 40, 50}, 0.9), 46);
  EXPECT_EQ(percentile(Samples{10, 20}, 0), 10);
  EXPECT_EQ(percentile(Samples{10, 20}, 1), 20);
}

TEST(Statistics, OneRunTellsNothingOfTheirSpread) {
  const auto interval = median_interval(Samples{7});
  ASSERT_TRUE(interval);
  EXPECT_EQ(interval->middle, 7);
  EXPECT_TRUE(std::isinf(interval->low) && std::isinf(interval->high));
}

TEST(Statistics, FewRunsAreTakenToBeNormal) {
  const auto interval = median_interval(Samples{9, 10, 11});
  ASSERT_TRUE(interval);
  EXPECT_EQ(interval->middle, 10);
  EXPECT_NEAR(interval->high - 10, 4.3027 / std::sqrt(3.0), 1e-3);
  EXPECT_NEAR(10 - interval->low, 4.3027 / std::sqrt(3.0), 1e-3);
}

// The ranks of the tables of Conover, Practical Nonparametric Statistics.
TEST(Statistics, ManyRunsAreOrderedOnly) {
  Samples samples;
  for (int i = 1; i <= 6; ++i) samples.push_back(i);
  auto interval = median_interval(samples);
  EXPECT_EQ(interval->low, 1);
  EXPECT_EQ(interval->high, 6);
  EXPECT_NEAR(interval->confidence, 0.96875, 1e-12);
  for (int i = 7; i <= 20; ++i) samples.push_back(i);
  interval = median_interval(samples);
  EXPECT_EQ(interval->low, 6);
  EXPECT_EQ(interval->high, 15);
  EXPECT_NEAR(interval->confidence, 0.9586, 1e-4);
  for (int i = 21; i <= 10000; ++i) samples.push_back(i);
  EXPECT_EQ(median_interval(samples)->low, 4902);  // 1.96 standard deviations of 50 below 5000
}

TEST(Statistics, AMedianLiesInItsInterval) {
  for (const Samples& samples :
       {Samples{1, 1, 100}, Samples{1, 1, 1, 1, 1000}, Samples{0, 0}, Samples{1, 1e6}}) {
    const auto interval = median_interval(samples);
    EXPECT_LE(interval->low, interval->middle);
    EXPECT_GE(interval->high, interval->middle);
  }
}

// How many of `trials` intervals of `count` samples hold the distribution's own median.
template <class Distribution>
double coverage(Distribution distribution, double truth, int count, int trials) {
  std::mt19937_64 random(20261123);
  int held = 0;
  for (int trial = 0; trial < trials; ++trial) {
    Samples samples;
    for (int i = 0; i < count; ++i) samples.push_back(distribution(random));
    const auto interval = median_interval(samples);
    held += interval->low <= truth && truth <= interval->high ? 1 : 0;
  }
  return static_cast<double>(held) / trials;
}

// Two standard deviations of a share of 4000 are 0.7 %.
TEST(Statistics, IntervalsHoldTheTruthAsOftenAsTheySay) {
  constexpr int kTrials = 4000;
  constexpr double kLeast = 0.943;
  for (const int count : {2, 3, 5, 6, 9, 25})
    EXPECT_GE(coverage(std::normal_distribution<double>(50, 7), 50, count, kTrials), kLeast)
        << count;
  // Skewed as latencies are: order statistics need no normal distribution.
  for (const int count : {6, 9, 25})
    EXPECT_GE(coverage(std::exponential_distribution<double>(1), std::log(2.0), count, kTrials),
              kLeast)
        << count;
  // And intervals are no wider than they have to be.
  EXPECT_LE(coverage(std::normal_distribution<double>(50, 7), 50, 3, kTrials), 0.957);
}

}  // namespace
}  // namespace vitrine::survey
