#include "vitrine/survey/wilson.h"

#include <gtest/gtest.h>

namespace vitrine::survey {
namespace {

// Values from R. G. Newcombe, "Two-sided confidence intervals for the single proportion" (1998),
// table I, method 3.
TEST(Wilson, GivesTheIntervalsOfTheLiterature) {
  const Proportion common = wilson(81, 263);
  EXPECT_NEAR(common.share, 0.3080, 1e-4);
  EXPECT_NEAR(common.low, 0.2553, 1e-4);
  EXPECT_NEAR(common.high, 0.3662, 1e-4);
  const Proportion rare = wilson(1, 29);
  EXPECT_NEAR(rare.low, 0.0061, 1e-4);
  EXPECT_NEAR(rare.high, 0.1718, 1e-4);
  const Proportion none = wilson(0, 20);
  EXPECT_EQ(none.low, 0.0);
  EXPECT_NEAR(none.high, 0.1611, 1e-4);
}

TEST(Wilson, ExtremesStayWithinBounds) {
  EXPECT_EQ(wilson(7, 7).high, 1.0);
  EXPECT_LT(wilson(7, 7).low, 1.0);
  EXPECT_EQ(wilson(0, 0).low, 0.0);
  EXPECT_EQ(wilson(0, 0).high, 1.0);
}

}  // namespace
}  // namespace vitrine::survey
