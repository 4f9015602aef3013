#include "vitrine/host/hole_safe_mapping.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vitrine/memory/load.h"

namespace vitrine::host {
namespace {

class MemoryFile : public ::testing::Test {
 protected:
  void SetUp() override {
    memory::FaultRecovery::install();
    fd_ = base::FileDescriptor(memfd_create("guest", 0));
    ASSERT_EQ(ftruncate(fd_.get(), 1 << 20), 0);
    write(8192, 41);
  }
  void write(off_t at, std::uint64_t value) const {
    ASSERT_EQ(pwrite(fd_.get(), &value, sizeof value, at), 8);
  }
  blkcnt_t blocks() const {
    struct stat info {};
    fstat(fd_.get(), &info);
    return info.st_blocks;
  }

  base::FileDescriptor fd_;
};

TEST_F(MemoryFile, ReadsWhatTheOwnerWritesLater) {
  auto mapping = HoleSafeMapping::create(fd_.get(), 0, 1 << 20);
  ASSERT_TRUE(mapping) << to_string(mapping.error());
  std::uint64_t value = 0;
  ASSERT_TRUE(memory::load(mapping->bytes() + 8192, value));
  EXPECT_EQ(value, 41U);
  write(8192, 42);
  ASSERT_TRUE(memory::load(mapping->bytes() + 8192, value));
  EXPECT_EQ(value, 42U);
}

TEST_F(MemoryFile, HolesStayHolesUntilTheOwnerFillsThem) {
  auto mapping = HoleSafeMapping::create(fd_.get(), 0, 1 << 20);
  ASSERT_TRUE(mapping) << to_string(mapping.error());
  const blkcnt_t before = blocks();
  std::uint64_t value = 0;
  for (std::uint64_t at = 0; at < 1 << 20; at += 4096) {
    EXPECT_EQ(memory::load(mapping->bytes() + at, value), at == 8192) << at;
  }
  EXPECT_EQ(blocks(), before);
  write(4096, 7);
  ASSERT_TRUE(memory::load(mapping->bytes() + 4096, value));
  EXPECT_EQ(value, 7U);
}

TEST_F(MemoryFile, APageThatIsGivenBackIsAHoleAgain) {
  auto mapping = HoleSafeMapping::create(fd_.get(), 0, 1 << 20);
  ASSERT_TRUE(mapping) << to_string(mapping.error());
  std::uint64_t value = 0;
  ASSERT_TRUE(memory::load(mapping->bytes() + 8192, value));
  ASSERT_EQ(fallocate(fd_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 8192, 4096), 0);
  const blkcnt_t before = blocks();
  EXPECT_FALSE(memory::load(mapping->bytes() + 8192, value));
  EXPECT_EQ(blocks(), before);
}

TEST_F(MemoryFile, AShrunkenFileFailsTheLoad) {
  auto mapping = HoleSafeMapping::create(fd_.get(), 0, 1 << 20);
  ASSERT_TRUE(mapping) << to_string(mapping.error());
  ASSERT_EQ(ftruncate(fd_.get(), 4096), 0);
  std::uint64_t value = 0;
  EXPECT_FALSE(memory::load(mapping->bytes() + 8192, value));
}

}  // namespace
}  // namespace vitrine::host
