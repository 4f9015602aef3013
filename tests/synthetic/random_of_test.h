// Randomness that is the same whenever a test runs, and another in each test and each of its
// instances: these try more together than one of them could alone.
//
// Thread contract: one thread, within a test.
#pragma once

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace vitrine::synthetic {

inline std::mt19937_64 random_of_test() {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  const std::string name = std::string(test->test_suite_name()) + '.' + test->name();
  std::seed_seq seed(name.begin(), name.end());
  return std::mt19937_64(seed);
}

}  // namespace vitrine::synthetic
