#include "apps/cli/dry_run_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vitrine/base/json.h"

namespace vitrine::cli {
namespace {

using ::testing::HasSubstr;

const VmIdentity kVm{"web\x1b", 7, "name:web"};

TEST(DryRun, NumbersTheSteps) {
  const session::DryRun plan{{}, "fork", {"first", "second"}, {"vhost (x)"}, {}};
  const std::string text = dry_run_text(plan, kVm);
  EXPECT_THAT(text, HasSubstr("fork of web\\x1b, not done:\n  1. first\n  2. second\n"));
  EXPECT_THAT(text, HasSubstr("because of vhost (x)"));
  EXPECT_EQ(text.find("refused"), std::string::npos);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST(DryRun, SaysThatNothingWouldBeNoticed) {
  EXPECT_THAT(dry_run_text({{}, "map", {}, {}, {}}, kVm), HasSubstr("nothing that the VM"));
}

TEST(DryRun, SaysWhyItWouldBeRefused) {
  const session::DryRun plan{
      {}, "fork", {"first"}, {}, base::Error{base::Code::unsupported, "it is shared", "use dump"}};
  const std::string text = dry_run_text(plan, kVm);
  EXPECT_THAT(text, HasSubstr("refused: "));
  EXPECT_THAT(text, HasSubstr("it is shared"));
  EXPECT_THAT(text, HasSubstr("use dump"));
  const auto json = nlohmann::json::parse(dry_run_json(plan, kVm, JsonLayout::line));
  EXPECT_EQ(json["refused"]["code"], "unsupported");
  EXPECT_EQ(json["refused"]["remedy"], "use dump");
  EXPECT_EQ(json["steps"], nlohmann::json::parse(R"(["first"])"));
  EXPECT_EQ(json["technique"], "fork");
}

TEST(DryRun, IsNotRefusedInJsonWhereItCouldBeDone) {
  const auto json =
      nlohmann::json::parse(dry_run_json({{}, "map", {}, {"vhost"}, {}}, kVm, JsonLayout::line));
  EXPECT_TRUE(json["refused"].is_null());
  EXPECT_EQ(json["doubts"].size(), 1U);
}

}  // namespace
}  // namespace vitrine::cli
