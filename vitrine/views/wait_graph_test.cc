#include "vitrine/views/wait_graph.h"

#include <gtest/gtest.h>

#include <array>
#include <random>

namespace vitrine::views {
namespace {

constexpr std::size_t kNobody = WaitGraph::kNobody;

TEST(WaitGraph, FollowsEachChainToItsEnd) {
  //  1 and 2 wait for 0; 3 waits for 2; 4 waits for nobody.
  const std::array<std::size_t, 5> blockers{kNobody, 0, 0, 2, kNobody};
  const WaitGraph graph(blockers);
  EXPECT_EQ(graph[3].root, 0U);
  EXPECT_EQ(graph[3].depth, 2U);
  EXPECT_EQ(graph[0].waiters, 3U);
  EXPECT_EQ(graph[2].waiters, 1U);
  EXPECT_EQ(graph[4].root, 4U);
  EXPECT_EQ(graph[4].waiters, 0U);
  EXPECT_FALSE(graph[3].deadlock);
  EXPECT_TRUE(graph.members(0).empty());
}

TEST(WaitGraph, ACycleIsADeadlock) {
  // 4 → 1 → 3 → 2 → 1, and 0 → 4.
  const std::array<std::size_t, 5> blockers{4, 3, 1, 2, 1};
  const WaitGraph graph(blockers);
  for (const std::size_t member : {1U, 2U, 3U}) {
    EXPECT_TRUE(graph[member].deadlock);
    EXPECT_EQ(graph[member].depth, 0U);
    EXPECT_EQ(graph[member].root, 1U);
    EXPECT_EQ(graph[member].waiters, 4U) << "the two others, and the two outside";
  }
  EXPECT_EQ(graph.members(1), (std::vector<std::size_t>{1, 3, 2}));
  EXPECT_TRUE(graph[0].deadlock);
  EXPECT_EQ(graph[0].depth, 2U);
  EXPECT_EQ(graph[4].waiters, 1U);
}

TEST(WaitGraph, WhoWaitsForItselfIsADeadlockOfOne) {
  const std::array<std::size_t, 2> blockers{0, 0};
  const WaitGraph graph(blockers);
  EXPECT_TRUE(graph[0].deadlock);
  EXPECT_EQ(graph.members(0), (std::vector<std::size_t>{0}));
  EXPECT_EQ(graph[1].root, 0U);
  EXPECT_EQ(graph[0].waiters, 1U);
}

TEST(WaitGraph, EveryGraphIsPlacedWhole) {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    std::vector<std::size_t> blockers(30);
    for (std::size_t& blocker : blockers) blocker = random() % 40;  // some of them none
    const WaitGraph graph(blockers);
    for (std::size_t i = 0; i < blockers.size(); ++i) {
      ASSERT_LT(graph[i].root, blockers.size());
      ASSERT_LT(graph[i].waiters, blockers.size());
      std::size_t at = i;
      for (std::uint32_t step = 0; step < graph[i].depth; ++step) at = blockers[at];
      if (!graph[i].deadlock)
        ASSERT_EQ(at, graph[i].root);
      else
        ASSERT_EQ(graph[at].depth, 0U);
    }
  }
}

}  // namespace
}  // namespace vitrine::views
