#include "vitrine/survey/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace vitrine::survey {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::vector<std::string> kLatency{"latency_p50_ns"};

Measured timed(const std::string& technique, const std::vector<double>& latencies) {
  Measured measured{{"demo", "idle", "processes", technique}, {}};
  for (const double latency : latencies)
    measured.runs.push_back({1, State::measured, "", {{"latency_p50_ns", latency}}, {}});
  return measured;
}

Study study(std::vector<Measured> cells) { return {{}, {}, std::move(cells)}; }

Change change(const std::vector<double>& before, const std::vector<double>& after) {
  return compare(study({timed("map", before)}), study({timed("map", after)}), kLatency)
      .changes.at(0);
}

TEST(Comparison, TellsADifferenceBeyondNoise) {
  const Change slower = change({100, 102, 98}, {200, 205, 196});
  EXPECT_EQ(slower.difference, Difference::more);
  EXPECT_EQ(slower.before, 100);
  EXPECT_EQ(slower.after, 200);
  EXPECT_DOUBLE_EQ(slower.ratio.value(), 2);
  EXPECT_LT(slower.low.value(), 2);
  EXPECT_GT(slower.low.value(), 1.8);
  EXPECT_GT(slower.high.value(), 2);
  EXPECT_LT(slower.high.value(), 2.2);
  EXPECT_EQ(change({200, 205, 196}, {100, 102, 98}).difference, Difference::less);
}

TEST(Comparison, TellsNoneWithinNoise) {
  const Change same = change({100, 130, 80}, {110, 90, 140});
  EXPECT_EQ(same.difference, Difference::none);
  EXPECT_LT(same.low.value(), 1);
  EXPECT_GT(same.high.value(), 1);
}

// t = 2.8165 with 27.877 degrees of freedom, computed apart by integrating the density.
TEST(Comparison, IsWelchsTest) {
  const std::vector<double> one{27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1,
                                21.9, 22.6, 23.1, 19.6, 19.0, 21.7, 21.4};
  const std::vector<double> other{27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0,
                                  24.8, 20.2, 21.9, 22.1, 22.9, 30.5, 23.8};
  std::vector<double> powers;
  std::vector<double> other_powers;
  for (const double value : one) powers.push_back(std::exp(value));
  for (const double value : other) other_powers.push_back(std::exp(value));
  EXPECT_NEAR(change(powers, other_powers).chance.value(), 0.008818, 1e-6);
}

TEST(Comparison, OneRunTellsNoNoise) {
  const Change one = change({100}, {200, 201});
  EXPECT_EQ(one.difference, Difference::unknown);
  EXPECT_EQ(one.ratio, 2.005);
  EXPECT_FALSE(one.low);
  EXPECT_FALSE(one.chance);
}

TEST(Comparison, EqualRunsProveNothingFinerThanTheyAreKept) {
  EXPECT_EQ(change({1000, 1000, 1000}, {1002, 1002, 1002}).difference, Difference::none);
  EXPECT_EQ(change({1000, 1000, 1000}, {1100, 1100, 1100}).difference, Difference::more);
}

TEST(Comparison, ZeroHasNoRatio) {
  const Change none = change({0, 0, 0}, {0, 0, 0});
  EXPECT_EQ(none.difference, Difference::none);
  EXPECT_FALSE(none.ratio);
  const Change stops = change({0, 0, 0}, {200, 210, 190});
  EXPECT_EQ(stops.difference, Difference::more);
  EXPECT_FALSE(stops.ratio);
}

TEST(Comparison, NamesWhatOnlyOneHas) {
  const auto comparison =
      compare(study({timed("map", {1, 2}), timed("gdb", {}), timed("fork", {1})}),
              study({timed("qmp", {1}), timed("gdb", {5}), timed("map", {1, 2})}), kLatency);
  EXPECT_EQ(comparison.changes.size(), 1u);
  EXPECT_THAT(comparison.only_before, ElementsAre(timed("fork", {}).cell));
  EXPECT_THAT(comparison.only_after, ElementsAre(timed("gdb", {}).cell, timed("qmp", {}).cell));
}

TEST(Comparison, TellsWhichFactsDiffer) {
  Study before;
  before.facts = {{"host_kernel", "6.1"}, {"accelerator", "tcg"}, {"plan", "quick"}};
  before.guests = {{"demo", "6.1", 1 << 30, 2, 50}, {"web", "6.1", 1 << 30, 2, 50}};
  Study after;
  after.facts = {{"host_kernel", "6.18"}, {"accelerator", "tcg"}, {"qemu_version", "7.2"}};
  after.guests = {{"demo", "6.12", 1 << 30, 2, 70}, {"web", "6.1", 1 << 30, 2, 50}};
  const auto facts = compare(before, after, kLatency).facts;
  ASSERT_EQ(facts.size(), 3u);
  EXPECT_EQ(facts[0].fact, "host_kernel");
  EXPECT_EQ(facts[0].after, "6.18");
  EXPECT_EQ(facts[1].fact, "kernel of demo");
  EXPECT_EQ(facts[2].fact, "qemu_version");
  EXPECT_EQ(facts[2].before, "");
}

// `trials` pairs of surveys of 40 cells with 3 runs of log-normal noise each; the second is
// `factor` slower in one of them. How many pairs had any other cell told, and how many that one.
struct Told {
  double wrongly = 0, rightly = 0;
};
Told told(double factor, int trials) {
  std::mt19937_64 random(20261123);
  std::lognormal_distribution<double> noise(0, 0.05);
  const auto runs = [&](double scale) {
    return std::vector<double>{scale * noise(random), scale * noise(random), scale * noise(random)};
  };
  Told told;
  for (int trial = 0; trial < trials; ++trial) {
    std::vector<Measured> before;
    std::vector<Measured> after;
    for (int i = 0; i < 40; ++i) {
      before.push_back(timed(std::to_string(i), runs(1000)));
      after.push_back(timed(std::to_string(i), runs(i == 0 ? factor * 1000 : 1000)));
    }
    bool wrongly = false;
    for (const Change& one : compare(study(before), study(after), kLatency).changes) {
      const bool differs = one.difference != Difference::none;
      if (one.cell.technique == "0")
        told.rightly += differs ? 1.0 / trials : 0;
      else
        wrongly |= differs;
    }
    told.wrongly += wrongly ? 1.0 / trials : 0;
  }
  return told;
}

// The promise is 5 % at most; three standard deviations of a share of 300 are 3.8 %.
TEST(Comparison, SeldomTellsADifferenceWhereThereIsNone) {
  const Told result = told(3, 300);
  EXPECT_LT(result.wrongly, 0.088);
  EXPECT_GT(result.rightly, 0.95);
}

}  // namespace
}  // namespace vitrine::survey
