#include "vitrine/techniques/sparse_writer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vitrine/base/file_descriptor.h"

namespace vitrine::techniques {
namespace {

constexpr std::uint64_t page = 4096;

class SparseWriterTest : public ::testing::Test {
 protected:
  void begin(std::uint64_t size) { ASSERT_TRUE(writer_.begin(size)); }
  void write(std::uint64_t offset, std::size_t size, char fill) {
    const std::vector<std::byte> bytes(size, static_cast<std::byte>(fill));
    ASSERT_TRUE(writer_.write(offset, bytes));
  }
  std::string read(std::uint64_t offset, std::size_t size) {
    EXPECT_TRUE(writer_.flush());
    std::string text(size, '?');
    EXPECT_EQ(pread(file_.get(), text.data(), size, static_cast<off_t>(offset)),
              static_cast<ssize_t>(size));
    return text;
  }
  std::uint64_t pages_on_disk() {
    EXPECT_TRUE(writer_.flush());
    struct stat info {};
    EXPECT_EQ(fstat(file_.get(), &info), 0);
    return static_cast<std::uint64_t>(info.st_blocks) * 512 / page;
  }

  base::FileDescriptor file_{memfd_create("image", MFD_CLOEXEC)};
  SparseWriter writer_{file_.get()};
};

TEST_F(SparseWriterTest, PutsBytesWhereTheyBelongInAnyOrderAndSize) {
  begin(64 * page);
  write(10 * page + 100, 3 * page, 'b');
  write(2 * page, page, 'a');
  EXPECT_EQ(read(10 * page + 99, 3 * page + 2),
            std::string(1, '\0') + std::string(3 * page, 'b') + '\0');
  EXPECT_EQ(read(2 * page - 1, page + 2), '\0' + std::string(page, 'a') + '\0');
}

TEST_F(SparseWriterTest, ZerosTakeNoSpace) {
  begin(1024 * page);
  write(0, 512 * page, '\0');
  write(512 * page, page, 'x');
  write(513 * page, 511 * page, '\0');
  EXPECT_EQ(pages_on_disk(), 1U);
}

TEST_F(SparseWriterTest, ZerosReplaceWhatWasThere) {
  begin(8 * page);
  write(page, page, 'x');
  write(page, page, '\0');
  EXPECT_EQ(read(page, page), std::string(page, '\0'));
}

TEST_F(SparseWriterTest, ANewImageHasNothingOfTheOldOne) {
  begin(8 * page);
  write(page, page, 'x');
  EXPECT_EQ(pages_on_disk(), 1U);
  begin(8 * page);
  EXPECT_EQ(pages_on_disk(), 0U);
  EXPECT_EQ(read(0, 8 * page), std::string(8 * page, '\0'));
}

TEST_F(SparseWriterTest, TheFileGrowsBehindTheImage) {
  begin(0);
  write(3 * page + 5, 10, 'x');
  EXPECT_EQ(read(3 * page + 5, 10), std::string(10, 'x'));
}

TEST_F(SparseWriterTest, AFullDiskIsAnErrorThatSaysSo) {
  const base::FileDescriptor full(open("/dev/full", O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(full.valid());
  SparseWriter writer(full.get());
  ASSERT_TRUE(writer.write(0, std::vector<std::byte>(page, std::byte{1})));
  const auto flushed = writer.flush();
  ASSERT_FALSE(flushed);
  EXPECT_NE(flushed.error().message.find("No space left"), std::string::npos);
  EXPECT_NE(flushed.error().remedy.find("TMPDIR"), std::string::npos);
}

}  // namespace
}  // namespace vitrine::techniques
