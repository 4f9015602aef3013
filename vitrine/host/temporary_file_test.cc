#include "vitrine/host/temporary_file.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>

namespace vitrine::host {
namespace {

class TemporaryFile : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "vitrine-test-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    setenv("TMPDIR", name.c_str(), 1);
  }
  void TearDown() override {
    unsetenv("TMPDIR");
    std::filesystem::remove_all(folder_);
  }

  std::filesystem::path folder_;
};

TEST_F(TemporaryFile, HasNoNameAndIsPrivate) {
  const auto file = temporary_file(1);
  ASSERT_TRUE(file);
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
  struct stat about {};
  ASSERT_EQ(fstat(file->get(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600U);
  EXPECT_EQ(about.st_nlink, 0U);
}

TEST_F(TemporaryFile, SaysThatSpaceIsShortAndHowToHaveMore) {
  const auto file = temporary_file(std::uint64_t{1} << 60);
  ASSERT_FALSE(file);
  EXPECT_NE(file.error().message.find("MiB free"), std::string::npos);
  EXPECT_NE(file.error().remedy.find("TMPDIR"), std::string::npos);
}

TEST_F(TemporaryFile, SaysThatTheFolderIsMissing) {
  setenv("TMPDIR", "/nonexistent", 1);
  const auto file = temporary_file(1);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, base::Code::absent);
}

}  // namespace
}  // namespace vitrine::host
