#include "vitrine/views/cycle_guard.h"

#include <gtest/gtest.h>

namespace vitrine::views {
namespace {

// Steps until the guard speaks on a list of `tail` nodes that leads into a ring of `ring` nodes.
std::uint64_t steps_until_noticed(std::uint64_t tail, std::uint64_t ring) {
  CycleGuard guard;
  for (std::uint64_t step = 0; step < 10 * (tail + ring) + 10; ++step) {
    const std::uint64_t node = step < tail ? step : tail + (step - tail) % ring;
    if (guard.closes(base::GuestVirtual(0x1000 + node * 64))) return step;
  }
  return ~std::uint64_t{0};
}

TEST(CycleGuard, NoticesEveryRingSoonAfterItIsEntered) {
  for (std::uint64_t tail = 0; tail < 40; ++tail)
    for (std::uint64_t ring = 1; ring < 40; ++ring)
      EXPECT_LE(steps_until_noticed(tail, ring), 3 * (tail + ring) + 3) << tail << " " << ring;
}

TEST(CycleGuard, StaysSilentOnAWalkWithoutRepetition) {
  CycleGuard guard;
  for (std::uint64_t node = 0; node < 100000; ++node)
    ASSERT_FALSE(guard.closes(base::GuestVirtual(node)));
}

}  // namespace
}  // namespace vitrine::views
