#include "apps/cli/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vitrine/base/json.h"

namespace vitrine::cli {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Manifest example() {
  Manifest manifest;
  manifest.host = "host";
  manifest.started = std::chrono::sys_time<std::chrono::nanoseconds>(std::chrono::seconds(1));
  manifest.ended = std::chrono::sys_time<std::chrono::nanoseconds>(std::chrono::seconds(4));
  manifest.vm = {.name = "vm", .pid = 7, .source = "name:vm"};
  manifest.kernel = {.release = "6.1", .build_id = std::nullopt};
  manifest.technique = "process-vm";
  manifest.atomic = "unknown";
  manifest.processors = 2;
  manifest.file = "im\x01g";
  manifest.format = images::Format::kdump;
  manifest.omissions = {.zero = true, .free = true, .cache = false};
  manifest.report.ram_bytes = 1 << 30;
  manifest.report.size = 300 << 20;
  manifest.report.allocated_bytes = 200 << 20;
  manifest.report.sha256 = std::string(64, 'a');
  manifest.report.pages = {.total = 262144,
                           .written = 1000,
                           .zero = 2,
                           .free = 3,
                           .cache = 0,
                           .not_populated = 261139,
                           .unreadable = 0};
  return manifest;
}

TEST(ManifestJson, SaysWhatAnIncrementalImageBuildsOn) {
  Manifest manifest = example();
  EXPECT_TRUE(nlohmann::json::parse(manifest_json(manifest, JsonLayout::line))["since"].is_null());
  manifest.since = ManifestSince{"../a", std::string(64, 'b'), "frames"};
  manifest.report.pages.unchanged = 1234;
  const auto json = nlohmann::json::parse(manifest_json(manifest, JsonLayout::line));
  EXPECT_EQ(json["since"]["file"], "../a");
  EXPECT_EQ(json["since"]["compared"], "frames");
  EXPECT_EQ(json["pages"]["unchanged"], 1234);
  EXPECT_THAT(manifest_text(manifest), HasSubstr("since ../a, by their page frames"));
}

TEST(ManifestText, TellsHowLongTheDisksTookToDrain) {
  Manifest manifest = example();
  EXPECT_THAT(manifest_text(manifest), ::testing::Not(HasSubstr("drain")));
  manifest.stopped_ns = 30'000'000;
  manifest.drained_ns = 20'000'000;
  EXPECT_THAT(manifest_text(manifest), HasSubstr("0.030 s, 0.020 s of it to drain its disks"));
}

TEST(ManifestJson, HasEverythingThatAnAuditNeeds) {
  const auto json = nlohmann::json::parse(manifest_json(example(), JsonLayout::line));
  EXPECT_EQ(json["schema"], 1);
  EXPECT_EQ(json["tool"]["name"], "vitrine");
  EXPECT_EQ(json["host"], "host");
  EXPECT_EQ(json["started"], "1970-01-01T00:00:01.000000000Z");
  EXPECT_EQ(json["ended"], "1970-01-01T00:00:04.000000000Z");
  EXPECT_EQ(json["vm"]["pid"], 7);
  EXPECT_TRUE(json["vm"]["uuid"].is_null());
  EXPECT_EQ(json["kernel"]["release"], "6.1");
  EXPECT_EQ(json["technique"], "process-vm");
  EXPECT_EQ(json["consistency"]["atomic"], "unknown");
  EXPECT_EQ(json["registers"], nlohmann::json::parse(R"({"processors":2,"same_instant":false})"));
  EXPECT_EQ(json["image"]["format"], "kdump");
  EXPECT_EQ(json["image"]["sha256"], std::string(64, 'a'));
  EXPECT_EQ(json["skip"], nlohmann::json::parse(R"(["free","zero"])"));
  EXPECT_EQ(json["pages"]["written"], 1000);
}

TEST(ManifestJson, OfAnImageWithoutRegistersSaysSo) {
  Manifest manifest = example();
  manifest.processors = 0;
  EXPECT_TRUE(
      nlohmann::json::parse(manifest_json(manifest, JsonLayout::line))["registers"].is_null());
}

TEST(ManifestText, TellsSizeBeforeAndAfterAndWhatWasLeftOut) {
  const std::string text = manifest_text(example());
  EXPECT_THAT(text, StartsWith("1.0 GiB of RAM became 200.0 MiB"));
  EXPECT_THAT(text, HasSubstr("12.0 KiB free"));
  EXPECT_THAT(text, Not(HasSubstr("page cache")));
  EXPECT_THAT(text, HasSubstr("one instant not known"));
  EXPECT_THAT(text, HasSubstr("im\\x01g"));
}

TEST(ProgressText, FitsItsWidth) {
  const images::SnapshotProgress half{512 << 20, 1 << 30, false};
  EXPECT_EQ(progress_text(half, 80),
            "[####################....................]  50 %  512.0 MiB of 1.0 GiB");
  for (std::size_t width = 40; width < 100; ++width)
    EXPECT_LE(progress_text(half, width).size(), width);
  EXPECT_THAT(progress_text(half, 10), EndsWith("1.0 GiB")) << "the terminal cuts the rest";
  EXPECT_THAT(progress_text({1, 1, true}, 80), HasSubstr("completing"));
  EXPECT_THAT(progress_text({0, 0, false}, 80), HasSubstr("100 %"));
}

}  // namespace
}  // namespace vitrine::cli
