#include "vitrine/memory/load.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>

namespace vitrine::memory {
namespace {

class TruncatedMapping : public ::testing::Test {
 protected:
  void SetUp() override {
    FaultRecovery::install();
    fd_ = memfd_create("truncated", 0);
    ASSERT_EQ(ftruncate(fd_, 8192), 0);
    void* at = mmap(nullptr, 8192, PROT_READ, MAP_SHARED, fd_, 0);
    ASSERT_NE(at, MAP_FAILED);
    bytes_ = static_cast<const std::byte*>(at);
    const std::uint64_t value = 0x1122334455667788;
    ASSERT_EQ(pwrite(fd_, &value, sizeof value, 4088), 8);
    ASSERT_EQ(ftruncate(fd_, 4096), 0);
  }
  void TearDown() override {
    munmap(const_cast<std::byte*>(bytes_), 8192);
    close(fd_);
  }

  int fd_ = -1;
  const std::byte* bytes_ = nullptr;
};

TEST_F(TruncatedMapping, EveryWidthLoadsWhatIsThere) {
  std::uint8_t byte = 0;
  std::uint16_t half = 0;
  std::uint32_t word = 0;
  std::uint64_t quad = 0;
  EXPECT_TRUE(load(bytes_ + 4088, byte));
  EXPECT_TRUE(load(bytes_ + 4088, half));
  EXPECT_TRUE(load(bytes_ + 4088, word));
  EXPECT_TRUE(load(bytes_ + 4088, quad));
  EXPECT_EQ(byte, 0x88);
  EXPECT_EQ(half, 0x7788);
  EXPECT_EQ(word, 0x55667788U);
  EXPECT_EQ(quad, 0x1122334455667788U);
}

TEST_F(TruncatedMapping, AFaultFailsTheLoadAndLeavesTheTarget) {
  std::uint8_t byte = 7;
  std::uint16_t half = 7;
  std::uint32_t word = 7;
  std::uint64_t quad = 7;
  EXPECT_FALSE(load(bytes_ + 4096, byte));
  EXPECT_FALSE(load(bytes_ + 4096, half));
  EXPECT_FALSE(load(bytes_ + 4096, word));
  EXPECT_FALSE(load(bytes_ + 4096, quad));
  EXPECT_EQ(byte, 7);
  EXPECT_EQ(half, 7);
  EXPECT_EQ(word, 7U);
  EXPECT_EQ(quad, 7U);
}

TEST_F(TruncatedMapping, BytesFailWhereTheyReachTheFault) {
  std::array<std::byte, 16> copy{};
  EXPECT_TRUE(load_bytes(bytes_ + 4080, copy));
  EXPECT_EQ(copy[8], std::byte{0x88});
  EXPECT_FALSE(load_bytes(bytes_ + 4088, copy));
}

TEST_F(TruncatedMapping, LongCopiesFailWhereTheyReachTheFault) {
  std::array<std::byte, 300> copy{};
  EXPECT_TRUE(load_bytes(bytes_ + 3796, copy));
  EXPECT_EQ(copy[292], std::byte{0x88});
  EXPECT_FALSE(load_bytes(bytes_ + 3797, copy));
}

TEST_F(TruncatedMapping, FaultsCanBeTakenAgainAndAgain) {
  std::uint64_t value = 0;
  for (int i = 0; i < 1000; ++i) ASSERT_FALSE(load(bytes_ + 4096, value));
}

}  // namespace
}  // namespace vitrine::memory
