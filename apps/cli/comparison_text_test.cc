#include "apps/cli/comparison_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vitrine/base/json.h"

namespace vitrine::cli {
namespace {

using survey::Change;
using survey::Comparison;
using survey::Difference;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

Change change(const std::string& figure, double before, double after, Difference difference) {
  Change one;
  one.cell = {"demo", "idle", "processes", "fork"};
  one.figure = figure;
  one.before = before;
  one.after = after;
  one.ratio = after / before;
  one.difference = difference;
  return one;
}

Comparison example_comparison() {
  Comparison comparison;
  comparison.changes = {change("per_second", 1000, 2000, Difference::more),
                        change("stopped_ns", 1e6, 1.1e6, Difference::none),
                        change("cpu_ns", 1e6, 5e6, Difference::unknown)};
  comparison.changes[0].low = 1.9;
  comparison.changes[0].high = 2.1;
  comparison.changes[0].chance = 0.001;
  comparison.only_before = {{"demo", "idle", "processes", "gdb"}};
  comparison.facts = {{"accelerator", "tcg", ""}};
  return comparison;
}

TEST(ComparisonText, SaysWhatIsFaster) {
  const auto said = [](const char* figure, Difference difference) {
    return difference_text(change(figure, 1, 2, difference));
  };
  EXPECT_EQ(said("per_second", Difference::more), "faster");
  EXPECT_EQ(said("per_second", Difference::less), "slower");
  EXPECT_EQ(said("latency_p50_ns", Difference::more), "slower");
  EXPECT_EQ(said("latency_p50_ns", Difference::less), "faster");
  EXPECT_EQ(said("cpu_ns", Difference::more), "more");
  EXPECT_EQ(said("cpu_ns", Difference::none), "no difference beyond noise");
  EXPECT_EQ(said("cpu_ns", Difference::unknown), "too few runs");
}

TEST(ComparisonText, ShowsWhatDiffersAndCountsTheRest) {
  const std::string text = comparison_text(example_comparison(), false, {});
  EXPECT_THAT(text, HasSubstr("fork, processes of demo, idle, flat out"));
  EXPECT_THAT(text, HasSubstr("1 kHz"));
  EXPECT_THAT(text, HasSubstr("2 (1.9-2.1)"));
  EXPECT_THAT(text, Not(HasSubstr("stopped_ns")));
  EXPECT_THAT(text, HasSubstr("Of 3 figures compared, 1 differ beyond noise, 1 do not, 1 have too "
                              "few runs to tell."));
  EXPECT_THAT(comparison_text(example_comparison(), true, {}), HasSubstr("stopped_ns"));
}

TEST(ComparisonText, WarnsAboutWhatIsNotTheSame) {
  EXPECT_THAT(comparison_warnings(example_comparison()),
              ElementsAre("accelerator differs: tcg before, unknown after",
                          "only the first survey measured gdb, processes of demo, idle, flat out"));
}

TEST(ComparisonText, JsonHoldsAll) {
  const auto json = base::parse_json(comparison_json(example_comparison(), JsonLayout::line));
  ASSERT_EQ(json["changes"].size(), 3u);
  EXPECT_EQ(json["changes"][0]["verdict"], "faster");
  EXPECT_EQ(json["changes"][0]["low"], 1.9);
  EXPECT_EQ(json["changes"][0]["cell"]["technique"], "fork");
  EXPECT_TRUE(json["changes"][1]["low"].is_null());
  EXPECT_EQ(json["changes"][2]["difference"], "unknown");
  EXPECT_EQ(json["only_before"][0]["technique"], "gdb");
  EXPECT_EQ(json["facts"][0]["before"], "tcg");
}

}  // namespace
}  // namespace vitrine::cli
