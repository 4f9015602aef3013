#include "vitrine/host/time_limit.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace vitrine::host {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(TimeLimit, MakesCallsOneAfterTheOther) {
  TimeLimit patient;
  int made = 0;
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(patient.run([&] { ++made; }, seconds(10)));
  EXPECT_EQ(made, 100);
}

TEST(TimeLimit, GivesUpACallThatTakesTooLongAndMakesNoOther) {
  const auto released = std::make_shared<std::atomic<bool>>(false);
  const auto ended = std::make_shared<std::atomic<bool>>(false);
  {
    TimeLimit impatient;
    EXPECT_FALSE(impatient.run(
        [released, ended] {
          while (!*released) std::this_thread::sleep_for(milliseconds(1));
          *ended = true;
        },
        milliseconds(20)));
    bool made = false;
    EXPECT_FALSE(impatient.run([&] { made = true; }, seconds(10)));
    EXPECT_FALSE(made);
  }
  *released = true;
  for (int i = 0; i < 10000 && !*ended; ++i) std::this_thread::sleep_for(milliseconds(1));
  EXPECT_TRUE(*ended) << "the thread goes on by itself";
}

}  // namespace
}  // namespace vitrine::host
