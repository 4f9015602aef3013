#include <gtest/gtest.h>

#include <array>

#include "tests/synthetic/memory.h"
#include "vitrine/memory/gather_reader.h"
#include "vitrine/memory/reader.h"

namespace vitrine::memory {
namespace {

using base::GuestPhysical;
using synthetic::Memory;

class RecordingTest : public ::testing::Test {
 protected:
  static constexpr GuestPhysical kAt{0x1000};

  RecordingTest() {
    memory_.put(kAt, std::uint64_t{0x1122334455667788});
    reader_.record_into(&recording_);
  }

  template <class T>
  T load(GuestPhysical at) {
    T value{};
    EXPECT_TRUE(reader_.load(at, value));
    return value;
  }
  bool still_holds() { return reader_.still_reads(recording_); }

  Memory memory_{{{GuestPhysical(0), 64 * synthetic::kilobyte}}};
  Recording recording_;
  Reader reader_{memory_};
};

TEST_F(RecordingTest, HoldsUntilAValueChangesAndAgainWhenItChangesBack) {
  reader_.begin();
  EXPECT_EQ(load<std::uint8_t>(kAt + 1), 0x77);
  EXPECT_EQ(load<std::uint16_t>(kAt + 2), 0x5566);
  EXPECT_EQ(load<std::uint32_t>(kAt + 4), 0x11223344U);
  EXPECT_EQ(recording_.size(), 3U);
  EXPECT_TRUE(still_holds());
  memory_.put(kAt, std::uint8_t{1});
  EXPECT_TRUE(still_holds()) << "that byte was not read";
  for (const std::uint64_t byte : {1U, 2U, 3U, 4U, 7U}) {
    const auto before = memory_.get<std::uint8_t>(kAt + byte);
    memory_.put(kAt + byte, std::uint8_t{0xee});
    EXPECT_FALSE(still_holds()) << byte;
    memory_.put(kAt + byte, before);
    EXPECT_TRUE(still_holds());
  }
}

TEST_F(RecordingTest, HoldsAsLongAsNoByteOfAStretchChanges) {
  std::array<std::byte, 5000> bytes{};
  memory_.populate({kAt, 8192});
  reader_.begin();
  EXPECT_TRUE(reader_.load_bytes(kAt, bytes));
  EXPECT_TRUE(still_holds());
  memory_.put(kAt + 4999, std::uint8_t{9});
  EXPECT_FALSE(still_holds());
}

TEST_F(RecordingTest, IgnoredBitsDoNotCountAndStatisticsNotAtAll) {
  reader_.begin();
  std::uint64_t value = 0;
  EXPECT_TRUE(reader_.load_ignoring(kAt, value, 0x60));
  EXPECT_EQ(value, 0x1122334455667788U) << "what is read is read whole";
  std::uint32_t statistic = 0;
  EXPECT_TRUE(reader_.load_ignoring(kAt + 8, statistic, kAllBits));
  EXPECT_EQ(recording_.size(), 1U);
  memory_.put(kAt, std::uint64_t{0x11223344556677e8});
  memory_.put(kAt + 8, std::uint32_t{7});
  EXPECT_TRUE(still_holds());
  memory_.put(kAt, std::uint64_t{0x1122334455667798});
  EXPECT_FALSE(still_holds());
}

TEST_F(RecordingTest, WhatCouldNotBeReadMustStayUnreadableForTheSameReason) {
  reader_.begin();
  std::uint64_t value = 0;
  EXPECT_FALSE(reader_.load(GuestPhysical(0x8000), value));
  EXPECT_FALSE(reader_.load(GuestPhysical(0x800000), value));
  EXPECT_EQ(recording_.failures().size(), 2U);
  EXPECT_TRUE(still_holds());
  memory_.fail_reads({GuestPhysical(0x8000), 4096});
  memory_.populate({GuestPhysical(0x8000), 4096});
  EXPECT_FALSE(still_holds()) << "another reason";
  memory_.stop_failing();
  EXPECT_FALSE(still_holds()) << "readable now";
}

TEST_F(RecordingTest, EndsAtTheFirstThatDiffers) {
  reader_.begin();
  for (std::uint64_t i = 0; i < 64; ++i) load<std::uint64_t>(kAt + i * 8);
  memory_.put(kAt, std::uint64_t{0});
  EXPECT_FALSE(still_holds());
  reader_.begin();
  EXPECT_EQ(recording_.size(), 0U);
  EXPECT_TRUE(still_holds()) << "nothing was read";
}

}  // namespace
}  // namespace vitrine::memory
