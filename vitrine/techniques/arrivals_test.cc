#include "vitrine/techniques/arrivals.h"

#include <gtest/gtest.h>

#include <array>
#include <thread>

namespace vitrine::techniques {
namespace {

using namespace std::chrono_literals;
using Pages = std::array<std::uint64_t, 1>;

TEST(Arrivals, WaitsForWhatHasNotCome) {
  Arrivals arrivals;
  arrivals.begin(8);
  arrivals.add(Pages{2});
  EXPECT_TRUE(arrivals.wait(2, 2, 1ms));
  EXPECT_FALSE(arrivals.wait(2, 3, 1ms));
  std::thread later([&arrivals] { arrivals.add(Pages{3}); });
  EXPECT_TRUE(arrivals.wait(2, 3, 5s));
  later.join();
}

TEST(Arrivals, WhatDidNotComeIsThereOnceTheImageIsWhole) {
  Arrivals arrivals;
  arrivals.begin(8);
  std::thread later([&arrivals] { arrivals.finish(true); });
  EXPECT_TRUE(arrivals.wait(0, 7, 5s));
  EXPECT_TRUE(arrivals.wait_for_all(1ms));
  later.join();
}

TEST(Arrivals, AfterAFailureOnlyWhatCameIsThere) {
  Arrivals arrivals;
  arrivals.begin(8);
  arrivals.add(Pages{2});
  arrivals.finish(false);
  EXPECT_TRUE(arrivals.wait(2, 2, 5s));
  EXPECT_FALSE(arrivals.wait(3, 3, 5s));
  EXPECT_FALSE(arrivals.wait_for_all(5s));
}

TEST(Arrivals, KnowsWhetherAnythingCame) {
  Arrivals arrivals;
  arrivals.begin(8);
  EXPECT_FALSE(arrivals.wait_for_any(1ms));
  arrivals.add(Pages{7});
  EXPECT_TRUE(arrivals.wait_for_any(1ms));
  arrivals.begin(8);
  EXPECT_FALSE(arrivals.wait_for_any(1ms));
}

TEST(Arrivals, NothingIsEverBehindTheImage) {
  Arrivals arrivals;
  arrivals.begin(8);
  arrivals.finish(false);
  EXPECT_FALSE(arrivals.wait(7, 8, 1ms));
}

}  // namespace
}  // namespace vitrine::techniques
