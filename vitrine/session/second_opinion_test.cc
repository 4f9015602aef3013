#include "vitrine/session/second_opinion.h"

#include <gmock/gmock.h>

namespace vitrine::session {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Start times of the two sides are in different units.
constexpr std::uint64_t kMemory = 5'000'000'000;
constexpr std::uint64_t kGuest = 500;

Listings everywhere(std::int64_t pid) {
  return {{{pid, kGuest}}, {{pid, kMemory}}, {{pid, kGuest}}, {{pid, kMemory}}};
}

TEST(SecondOpinion, WhatBothShowIsNoDifference) {
  const Listings listings = everywhere(7);
  EXPECT_EQ(judge(7, listings), SeenBy::both);
  EXPECT_THAT(only_in_guest(listings), IsEmpty());
}

TEST(SecondOpinion, AProcessThatTheGuestDoesNotShowIsHidden) {
  Listings listings = everywhere(7);
  listings.guest_first.clear();
  listings.guest_last.clear();
  EXPECT_EQ(judge(7, listings), SeenBy::vitrine);
}

TEST(SecondOpinion, AProcessThatMemoryDoesNotShowIsUnlinked) {
  Listings listings = everywhere(7);
  listings.memory_first.clear();
  listings.memory_last.clear();
  EXPECT_THAT(only_in_guest(listings), ElementsAre(7));
}

TEST(SecondOpinion, ProcessesThatComeOrGoAreNoDifference) {
  Listings came = everywhere(7);
  came.guest_first.clear();
  came.memory_first.clear();
  EXPECT_EQ(judge(7, came), SeenBy::both);
  Listings went = everywhere(7);
  went.guest_last.clear();
  went.memory_last.clear();
  EXPECT_THAT(only_in_guest(went), IsEmpty());
  Listings just_came;
  just_came.memory_last[7] = kMemory;
  EXPECT_EQ(judge(7, just_came), SeenBy::undecided);
  Listings of_the_listing;  // the guest's shell sees itself, and another one the next time
  of_the_listing.guest_first[8] = kGuest;
  of_the_listing.guest_last[9] = kGuest + 1;
  EXPECT_THAT(only_in_guest(of_the_listing), IsEmpty());
}

TEST(SecondOpinion, ANumberThatIsGivenAgainIsAnotherProcess) {
  Listings again;
  again.guest_first[7] = kGuest;
  again.guest_last[7] = kGuest + 100;
  EXPECT_THAT(only_in_guest(again), IsEmpty());
  again = {};
  again.memory_first[7] = kMemory;
  again.memory_last[7] = kMemory + 1;
  EXPECT_EQ(judge(7, again), SeenBy::undecided);
}

}  // namespace
}  // namespace vitrine::session
