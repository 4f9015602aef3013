#include "vitrine/techniques/sparse_writer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vitrine/base/address.h"
#include "vitrine/base/file_descriptor.h"

namespace vitrine::techniques {
namespace {

using base::kPage;

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
    return static_cast<std::uint64_t>(info.st_blocks) * 512 / kPage;
  }

  base::FileDescriptor file_{memfd_create("image", MFD_CLOEXEC)};
  SparseWriter writer_{file_.get()};
};

TEST_F(SparseWriterTest, PutsBytesWhereTheyBelongInAnyOrderAndSize) {
  begin(64 * kPage);
  write(10 * kPage + 100, 3 * kPage, 'b');
  write(2 * kPage, kPage, 'a');
  EXPECT_EQ(read(10 * kPage + 99, 3 * kPage + 2),
            std::string(1, '\0') + std::string(3 * kPage, 'b') + '\0');
  EXPECT_EQ(read(2 * kPage - 1, kPage + 2), '\0' + std::string(kPage, 'a') + '\0');
}

TEST_F(SparseWriterTest, ZerosTakeNoSpace) {
  begin(1024 * kPage);
  write(0, 512 * kPage, '\0');
  write(512 * kPage, kPage, 'x');
  write(513 * kPage, 511 * kPage, '\0');
  EXPECT_EQ(pages_on_disk(), 1U);
}

TEST_F(SparseWriterTest, ZerosReplaceWhatWasThere) {
  begin(8 * kPage);
  write(kPage, kPage, 'x');
  write(kPage, kPage, '\0');
  EXPECT_EQ(read(kPage, kPage), std::string(kPage, '\0'));
}

TEST_F(SparseWriterTest, ANewImageHasNothingOfTheOldOne) {
  begin(8 * kPage);
  write(kPage, kPage, 'x');
  EXPECT_EQ(pages_on_disk(), 1U);
  begin(8 * kPage);
  EXPECT_EQ(pages_on_disk(), 0U);
  EXPECT_EQ(read(0, 8 * kPage), std::string(8 * kPage, '\0'));
}

TEST_F(SparseWriterTest, TheFileGrowsBehindTheImage) {
  begin(0);
  write(3 * kPage + 5, 10, 'x');
  EXPECT_EQ(read(3 * kPage + 5, 10), std::string(10, 'x'));
}

TEST_F(SparseWriterTest, AFullDiskIsAnErrorThatSaysSo) {
  const base::FileDescriptor full(open("/dev/full", O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(full.valid());
  SparseWriter writer(full.get());
  ASSERT_TRUE(writer.write(0, std::vector<std::byte>(kPage, std::byte{1})));
  const auto flushed = writer.flush();
  ASSERT_FALSE(flushed);
  EXPECT_NE(flushed.error().message.find("No space left"), std::string::npos);
  EXPECT_NE(flushed.error().remedy.find("TMPDIR"), std::string::npos);
}

}  // namespace
}  // namespace vitrine::techniques
