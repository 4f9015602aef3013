#include "apps/cli/interruption.h"

#include <gtest/gtest.h>

namespace vitrine::cli {
namespace {

TEST(Interruption, NotesTheFirstSignal) {
  const Interruption interruption;
  EXPECT_FALSE(interruption.wished());
  std::raise(SIGTERM);
  EXPECT_TRUE(interruption.wished());
}

TEST(Interruption, IsOverWithItsScope) {
  {
    const Interruption interruption;
    std::raise(SIGINT);
  }
  EXPECT_FALSE(Interruption().wished());
  struct sigaction now {};
  sigaction(SIGINT, nullptr, &now);
  EXPECT_EQ(now.sa_handler, SIG_DFL);
}

TEST(InterruptionDeathTest, EndsAtTheSecondSignal) {
  EXPECT_EXIT(
      {
        const Interruption interruption;
        std::raise(SIGINT);
        std::raise(SIGINT);
      },
      testing::KilledBySignal(SIGINT), "");
}

}  // namespace
}  // namespace vitrine::cli
