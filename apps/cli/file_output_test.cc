#include "apps/cli/file_output.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

namespace vitrine::cli {
namespace {

using Use = FileOutput::Use;

// Of 4096 zeros and "abc", as sha256sum tells it.
constexpr const char* kHash = "2b73c1655bca24857b549babad8d54a61f4f69e98453375d689130056cfbf94e";

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

TEST(FileOutput, HasZerosForWhatWasLeftOut) {
  FileOutput output(Use::print);
  ASSERT_TRUE(output.put(4096, bytes("ab")));
  ASSERT_TRUE(output.put(4098, bytes("c")));
  ASSERT_TRUE(output.finish(4099));
  EXPECT_EQ(output.text(), std::string(4096, '\0') + "abc");
  EXPECT_EQ(output.sha256(), kHash);
}

TEST(FileOutput, SavesHolesAsHoles) {
  const auto folder = std::filesystem::temp_directory_path() / "vitrine-file-output-XXXXXX";
  std::string name = folder;
  ASSERT_NE(::mkdtemp(name.data()), nullptr);
  const std::string file = name + "/file";
  FileOutput output(Use::save);
  ASSERT_TRUE(output.create(file));
  EXPECT_FALSE(std::filesystem::exists(file)) << "before it is whole";
  ASSERT_TRUE(output.put(0, bytes("begin")));
  ASSERT_TRUE(output.finish(1U << 26));
  struct stat status {};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_size, 1 << 26);
  EXPECT_LT(status.st_blocks, 1000);
  EXPECT_FALSE(FileOutput(Use::save).create(file)) << "it is there";
  std::filesystem::remove_all(name);
}

// A guest may say that a file is as large as no memory is.
TEST(FileOutput, NeitherPrintsNorHashesWithoutEnd) {
  FileOutput output(Use::print);
  const auto printed = output.put(FileOutput::kMostPrinted + 1, bytes("x"));
  ASSERT_FALSE(printed);
  EXPECT_EQ(printed.error().code, base::Code::invalid);
  FileOutput hashed(Use::hash);
  ASSERT_TRUE(hashed.put(0, bytes("x")));
  ASSERT_TRUE(hashed.finish(std::uint64_t{1} << 62));
  EXPECT_FALSE(hashed.sha256());
}

}  // namespace
}  // namespace vitrine::cli
