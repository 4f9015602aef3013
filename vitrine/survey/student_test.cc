#include "vitrine/survey/student.h"

#include <gtest/gtest.h>

namespace vitrine::survey {
namespace {

// Values of I_x(a, b) that have a closed form.
TEST(Student, TheIncompleteBetaFunctionIsWhatAlgebraSays) {
  EXPECT_NEAR(incomplete_beta(1, 1, 0.3), 0.3, 1e-13);
  EXPECT_NEAR(incomplete_beta(2, 1, 0.3), 0.09, 1e-13);
  EXPECT_NEAR(incomplete_beta(1, 3, 0.9), 1 - 0.001, 1e-13);
  EXPECT_NEAR(incomplete_beta(0.5, 0.5, 0.25), 1.0 / 3, 1e-13);  // the arcsine law
  EXPECT_EQ(incomplete_beta(3, 4, 0), 0);
  EXPECT_EQ(incomplete_beta(3, 4, 1), 1);
}

TEST(Student, TailsOfOneDegreeAreThoseOfCauchy) {
  for (const double t : {0.1, 1.0, 12.7, 1e6})
    EXPECT_NEAR(t_tails(t, 1), 1 - 2 / std::acos(-1.0) * std::atan(t), 1e-12) << t;
}

// From the table of every textbook.
TEST(Student, GivesTheQuantilesOfTheTables) {
  EXPECT_NEAR(t_quantile(0.05, 1), 12.706, 5e-4);
  EXPECT_NEAR(t_quantile(0.05, 2), 4.303, 5e-4);
  EXPECT_NEAR(t_quantile(0.05, 4), 2.776, 5e-4);
  EXPECT_NEAR(t_quantile(0.01, 10), 3.169, 5e-4);
  EXPECT_NEAR(t_quantile(0.05, 120), 1.980, 5e-4);
  EXPECT_NEAR(t_quantile(0.05, 1e6), 1.960, 5e-4);  // the normal distribution's
}

TEST(Student, AQuantileLeavesItsTails) {
  for (const double degrees : {1.0, 1.7, 3.2, 40.0})
    for (const double tails : {1.0, 0.2, 1e-3, 1e-6})
      EXPECT_NEAR(t_tails(t_quantile(tails, degrees), degrees), tails, 1e-9 + tails * 1e-6);
}

}  // namespace
}  // namespace vitrine::survey
