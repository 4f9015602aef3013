#include "vitrine/views/cpu_times.h"

#include <gtest/gtest.h>

#include <limits>

namespace vitrine::views {
namespace {

TEST(CpuTimes, AreScaledToTheExactSum) {
  const CpuTimes times = adjusted({1000, 30, 10}, {});
  EXPECT_EQ(times.total, 1000U);
  EXPECT_EQ(times.user, 750U);
  EXPECT_EQ(times.system, 250U);
}

TEST(CpuTimes, OfOneKindAloneAreAllOfIt) {
  EXPECT_EQ(adjusted({1000, 0, 0}, {}).user, 1000U);
  EXPECT_EQ(adjusted({1000, 5, 0}, {}).user, 1000U);
  EXPECT_EQ(adjusted({1000, 0, 5}, {}).system, 1000U);
  EXPECT_EQ(adjusted({0, 0, 0}, {}).user, 0U);
}

TEST(CpuTimes, DoNotFallBelowWhatWasToldBefore) {
  EXPECT_EQ(adjusted({1000, 30, 10}, {0, 700, 280}).system, 280U);
  EXPECT_EQ(adjusted({1000, 30, 10}, {0, 800, 100}).user, 800U);
  EXPECT_EQ(adjusted({1000, 30, 10}, {0, 800, 100}).system, 200U);
  EXPECT_EQ(adjusted({1000, 30, 10}, {0, 900, 100}).user, 900U);
}

TEST(CpuTimes, WhateverAGuestForgesAreNumbers) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(adjusted({kMost, kMost, 1}, {}).total, kMost);
  EXPECT_EQ(adjusted({kMost, kMost, kMost}, {0, kMost, kMost}).user, kMost);
  EXPECT_EQ(adjusted({5, 1, kMost}, {}).system, 4U);
}

}  // namespace
}  // namespace vitrine::views
