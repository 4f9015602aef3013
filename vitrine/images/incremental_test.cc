#include "vitrine/images/incremental.h"

#include <gtest/gtest.h>

namespace vitrine::images {
namespace {

Incremental example() {
  Incremental incremental{std::string(64, 'a'), PageBits(19)};
  incremental.held.set(0);
  incremental.held.set(18);
  return incremental;
}

TEST(Incremental, IsReadAsItWasWritten) {
  const auto read = parse_incremental_note(incremental_note(example()));
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_EQ(read->predecessor, std::string(64, 'a'));
  ASSERT_EQ(read->held.pages(), 19U);
  for (std::uint64_t page = 0; page < 19; ++page)
    EXPECT_EQ(read->held.test(page), page == 0 || page == 18) << page;
}

TEST(Incremental, IsNotReadWhereItIsCutOffOrTooLong) {
  const auto note = incremental_note(example());
  for (std::size_t size = 0; size < note.size(); ++size)
    EXPECT_FALSE(parse_incremental_note(std::span(note).first(size))) << size;
  auto longer = note;
  longer.push_back({});
  EXPECT_FALSE(parse_incremental_note(longer));
}

TEST(Incremental, IsNotReadWhereItClaimsMorePagesThanItHasBits) {
  auto note = incremental_note(example());
  for (std::size_t i = 0; i < 8; ++i) note.at(72 + i) = std::byte{0xff};
  EXPECT_FALSE(parse_incremental_note(note));
}

TEST(Incremental, IsNotReadWhereThePredecessorIsNoDigest) {
  auto note = incremental_note(example());
  note.at(8) = std::byte{'/'};
  EXPECT_FALSE(parse_incremental_note(note));
}

}  // namespace
}  // namespace vitrine::images
