#include "vitrine/images/output_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <csignal>
#include <fstream>

namespace vitrine::images {
namespace {

namespace fs = std::filesystem;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class OutputFileTest : public ::testing::Test {
 protected:
  OutputFileTest() {
    std::string name = (fs::temp_directory_path() / "vitrine-output-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~OutputFileTest() override { fs::remove_all(folder_); }

  std::vector<std::string> names() const {
    std::vector<std::string> list;
    for (const auto& entry : fs::directory_iterator(folder_))
      list.push_back(entry.path().filename());
    return list;
  }
  std::string content(const fs::path& path) const {
    std::ifstream stream(path);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  static std::span<const std::byte> bytes(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
  }

  fs::path folder_;
};

TEST_F(OutputFileTest, HasNoNameUntilItIsPublished) {
  const fs::path path = folder_ / "image";
  {
    auto file = OutputFile::create(path, OutputFile::Existing::keep);
    ASSERT_TRUE(file) << to_string(file.error());
    ASSERT_TRUE(file->write(0, bytes("half")));
    EXPECT_THAT(names(), IsEmpty());
  }
  EXPECT_THAT(names(), IsEmpty()) << "an image that was given up leaves nothing";
}

TEST_F(OutputFileTest, KilledLeavesNothing) {
  const pid_t child = fork();
  if (child == 0) {
    auto file = OutputFile::create(folder_ / "image", OutputFile::Existing::keep);
    if (file && file->write(0, bytes("half"))) kill(getpid(), SIGKILL);
    _exit(1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(OutputFileTest, BelongsToItsOwnerAlone) {
  const mode_t before = umask(0);
  auto file = OutputFile::create(folder_ / "image", OutputFile::Existing::keep);
  umask(before);
  ASSERT_TRUE(file);
  ASSERT_TRUE(file->write(2, bytes("whole")));
  ASSERT_TRUE(file->sync());
  ASSERT_TRUE(file->publish());
  ASSERT_TRUE(file->sync_name());
  EXPECT_THAT(names(), UnorderedElementsAre("image"));
  EXPECT_EQ(content(folder_ / "image"), std::string("\0\0whole", 7));
  struct stat info {};
  ASSERT_EQ(stat((folder_ / "image").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600U);
}

TEST_F(OutputFileTest, KeepsWhatExistsUnlessTold) {
  std::ofstream(folder_ / "image") << "old";
  auto kept = OutputFile::create(folder_ / "image", OutputFile::Existing::keep);
  ASSERT_FALSE(kept);
  EXPECT_EQ(kept.error().code, base::Code::invalid);
  auto file = OutputFile::create(folder_ / "image", OutputFile::Existing::replace);
  ASSERT_TRUE(file);
  ASSERT_TRUE(file->write(0, bytes("new")));
  EXPECT_EQ(content(folder_ / "image"), "old") << "until the new one is whole";
  ASSERT_TRUE(file->publish());
  EXPECT_EQ(content(folder_ / "image"), "new");
  EXPECT_THAT(names(), UnorderedElementsAre("image"));
}

TEST_F(OutputFileTest, NeverReplacesAFileMadeMeanwhile) {
  auto file = OutputFile::create(folder_ / "image", OutputFile::Existing::keep);
  ASSERT_TRUE(file);
  std::ofstream(folder_ / "image") << "another";
  EXPECT_EQ(file->publish().error().code, base::Code::invalid);
  EXPECT_EQ(content(folder_ / "image"), "another");
}

TEST_F(OutputFileTest, ReplacesNoFolderAndNoLink) {
  fs::create_directory(folder_ / "folder");
  fs::create_symlink("elsewhere", folder_ / "link");
  for (const char* name : {"folder", "link", "."})
    EXPECT_EQ(OutputFile::create(folder_ / name, OutputFile::Existing::replace).error().code,
              base::Code::invalid)
        << name;
  EXPECT_EQ(OutputFile::create(folder_ / "none/image", OutputFile::Existing::keep).error().code,
            base::Code::absent);
}

TEST_F(OutputFileTest, SaysWhyItCannotWrite) {
  auto file = OutputFile::create(folder_ / "image", OutputFile::Existing::keep);
  ASSERT_TRUE(file);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = signal(SIGXFSZ, SIG_IGN);
  const rlimit small{4096, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto written = file->write(4096, bytes("more"));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  signal(SIGXFSZ, handler);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().call, "pwrite");
}

}  // namespace
}  // namespace vitrine::images
