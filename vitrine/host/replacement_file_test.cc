#include "vitrine/host/replacement_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

namespace vitrine::host {
namespace {

using base::Code;
using base::FileDescriptor;

FileDescriptor memory_file() { return FileDescriptor(memfd_create("vitrine-ram", MFD_CLOEXEC)); }

TEST(ReplacementFile, IsANewFileInMemory) {
  const FileDescriptor made = memory_file();
  const auto opened = open_replacement_file(getpid(), made.get(), std::nullopt);
  ASSERT_TRUE(opened) << to_string(opened.error());
  ASSERT_EQ(pwrite(opened->file.get(), "x", 1, 0), 1);
  char read = 0;
  EXPECT_EQ(pread(made.get(), &read, 1, 0), 1);
  EXPECT_EQ(read, 'x');
  EXPECT_TRUE(open_replacement_file(getpid(), made.get(), opened->inode));
}

// As a hostile VMM would: O_PATH needs no right on the file itself.
TEST(ReplacementFile, IsNoOtherFileOfTheHost) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> unnamed(std::tmpfile(), std::fclose);
  const FileDescriptor named(open("/etc/passwd", O_PATH | O_CLOEXEC));
  for (const int number : {fileno(unnamed.get()), named.get()}) {
    const auto opened = open_replacement_file(getpid(), number, std::nullopt);
    ASSERT_FALSE(opened) << number;
    EXPECT_EQ(opened.error().code, Code::inconsistent);
  }
}

TEST(ReplacementFile, IsNeitherFilledNorAnotherThanBefore) {
  const FileDescriptor filled = memory_file();
  ASSERT_EQ(pwrite(filled.get(), "x", 1, 0), 1);
  EXPECT_FALSE(open_replacement_file(getpid(), filled.get(), std::nullopt));
  const FileDescriptor first = memory_file();
  const FileDescriptor second = memory_file();
  const auto opened = open_replacement_file(getpid(), first.get(), std::nullopt);
  ASSERT_TRUE(opened);
  EXPECT_FALSE(open_replacement_file(getpid(), second.get(), opened->inode));
}

}  // namespace
}  // namespace vitrine::host
