#include "apps/cli/stored_manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "apps/cli/manifest.h"
#include "vitrine/base/json.h"

namespace vitrine::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string digest(char digit) {
  std::string digits(64, digit);
  return digits;
}

class StoredManifestTest : public ::testing::Test {
 protected:
  StoredManifestTest() {
    std::string name = (fs::temp_directory_path() / "vitrine-manifest-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~StoredManifestTest() override { fs::remove_all(folder_); }

  // The manifest of an image that may build on another.
  void store(const std::string& image, char digit, std::optional<std::string> since = {}) {
    Manifest manifest;
    manifest.file = image;
    manifest.report.sha256 = digest(digit);
    if (since) manifest.since = ManifestSince{*since, digest('0'), "frames"};
    fs::create_directories((folder_ / image).parent_path());
    std::ofstream(folder_ / (image + ".json")) << manifest_json(manifest, JsonLayout::indented);
  }
  std::string error_of(const std::string& image) const {
    const auto chain = read_chain(folder_ / image);
    return chain ? "" : to_string(chain.error());
  }

  fs::path folder_;
};

TEST_F(StoredManifestTest, AWholeImageIsAChainOfItsOwn) {
  store("a", 'a');
  const auto chain = read_chain(folder_ / "a");
  ASSERT_TRUE(chain) << to_string(chain.error());
  ASSERT_EQ(chain->links.size(), 1U);
  EXPECT_EQ(chain->links[0].file, folder_ / "a");
  EXPECT_EQ(chain->links[0].sha256, digest('a'));
}

TEST_F(StoredManifestTest, FollowsWhatAnImageBuildsOnIntoOtherFolders) {
  store("whole/a", 'a');
  store("daily/b", 'b', "../whole/a");
  store("daily/c", 'c', "b");
  const auto chain = read_chain(folder_ / "daily" / "c");
  ASSERT_TRUE(chain) << to_string(chain.error());
  ASSERT_EQ(chain->links.size(), 3U);
  EXPECT_EQ(chain->links[0].sha256, digest('a'));
  EXPECT_EQ(chain->links[2].sha256, digest('c'));
  EXPECT_THAT(chain->newest, HasSubstr(digest('c')));
}

TEST_F(StoredManifestTest, FindsNamesAsTheyWereWritten) {
  store("a\\b\xff", 'a');
  store("c", 'c', "a\\b\xff");
  EXPECT_EQ(error_of("c"), "");
}

TEST_F(StoredManifestTest, TellsWhetherTheImagesLackPages) {
  const auto parsed = [](const std::string& more) {
    return parse_manifest(R"({"image":{"sha256":")" + digest('a') + R"("})" + more + "}").value();
  };
  EXPECT_FALSE(parsed(R"(,"pages":{"unreadable":0})").unreadable);
  EXPECT_TRUE(parsed(R"(,"pages":{"unreadable":2})").unreadable);
  EXPECT_EQ(parsed(R"(,"skip":["cache","zero"])").skip,
            (std::vector<std::string>{"cache", "zero"}));
  StoredChain chain;
  EXPECT_TRUE(chain.complete());
  chain.skip = {"zero"};
  EXPECT_TRUE(chain.complete());
  chain.skip = {"cache", "zero"};
  EXPECT_FALSE(chain.complete());
  chain.skip.clear();
  chain.unreadable = true;
  EXPECT_FALSE(chain.complete());
}

TEST_F(StoredManifestTest, AnImageOfTheChainIsNoPlaceToWriteTo) {
  store("a", 'a');
  std::ofstream(folder_ / "a") << "image";
  const auto chain = read_chain(folder_ / "a");
  ASSERT_TRUE(chain);
  EXPECT_FALSE(spares_chain(folder_ / "a", chain->links));
  EXPECT_TRUE(spares_chain(folder_ / "b", chain->links));
}

TEST_F(StoredManifestTest, SaysWhichManifestIsMissing) {
  store("b", 'b', "a");
  EXPECT_THAT(error_of("b"), HasSubstr("a.json"));
}

TEST_F(StoredManifestTest, ImagesThatBuildOnThemselvesEnd) {
  store("a", 'a', "b");
  store("b", 'b', "a");
  EXPECT_THAT(error_of("a"), HasSubstr("more than a thousand"));
}

TEST_F(StoredManifestTest, WhatIsNoManifestIsRefused) {
  for (const char* text : {"", "[]", "{}", R"({"image":1})", R"({"image":{"sha256":1}})",
                           R"({"image":{"sha256":"abc"}})"})
    EXPECT_FALSE(parse_manifest(text)) << text;
  const std::string image = R"({"image":{"sha256":")" + digest('a') + R"("})";
  EXPECT_TRUE(parse_manifest(image + "}"));
  EXPECT_TRUE(parse_manifest(image + R"(,"since":null})"));
  EXPECT_FALSE(parse_manifest(image + R"(,"since":7})"));
  EXPECT_FALSE(parse_manifest(image + R"(,"since":{"file":""}})"));
}

TEST(MergedJson, IsTheNewestManifestWithTheImageItself) {
  const std::string newest =
      R"({"host":"h","since":{"file":"a"},"image":{"file":"b"},"technique":"fork"})";
  MergedImage merged;
  merged.from = {{"/x/a", digest('a')}, {"/x/b", digest('b')}};
  merged.file = "whole";
  merged.report.sha256 = digest('c');
  const auto object = nlohmann::json::parse(merged_json(merged, newest, JsonLayout::line));
  EXPECT_FALSE(object.contains("since"));
  EXPECT_EQ(object["technique"], "fork");
  EXPECT_EQ(object["image"]["file"], "whole");
  EXPECT_EQ(object["image"]["sha256"], digest('c'));
  EXPECT_EQ(object["merged"]["from"][1]["file"], "b");
  EXPECT_THAT(merged_text(merged), HasSubstr("2 images"));
}

}  // namespace
}  // namespace vitrine::cli
