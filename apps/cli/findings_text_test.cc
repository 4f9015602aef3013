#include "apps/cli/findings_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "vitrine/base/json.h"
#include "vitrine/survey/shipped_survey.h"
#include "vitrine/survey/study_source.h"

namespace vitrine::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// Two techniques of which one is a thousand times as fast, on a guest of a hostile name.
survey::Study hostile_study() {
  survey::Study study;
  study.facts = {{"host_kernel", "6.1"}, {"qemu_version", "7.2"}};
  const std::string guest = "a|b\x1b[31m<script>";
  study.guests.push_back({guest, "6.1.0", 1 << 30, 1, 50});
  for (const auto& [technique, rate] : {std::pair{"map", 1000.0}, std::pair{"dump", 1.0}})
    study.cells.push_back({{guest, "idle", "processes", technique},
                           {{0, survey::State::measured, "", {{"per_second", rate}}, {}}}});
  return study;
}

TEST(FindingsText, TheDocumentationIsWhatTheSurveyThatIsBuiltInFound) {
  if (survey::shipped_survey().empty()) GTEST_SKIP() << "this build has no survey";
  std::ifstream file(VITRINE_FINDINGS);
  const std::string written{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(written, findings_markdown(survey::study_or_shipped({}).value()))
      << "vitrine report --markdown > docs/findings.md";
}

TEST(FindingsText, SaysWhatTheFiguresMakeOfEachStatement) {
  const std::string text = findings_text(hostile_study(), {.width = 80});
  EXPECT_THAT(text, StartsWith("confirmed: How often a guest can be observed differs"));
  EXPECT_THAT(text, HasSubstr("\nunknown: "));
  EXPECT_THAT(text, HasSubstr("By the survey of host kernel 6.1, QEMU 7.2"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST(FindingsText, AGuestsNameEndsNoCellOfATable) {
  const std::string text = findings_markdown(hostile_study());
  EXPECT_THAT(text, HasSubstr("a\\|b"));
  EXPECT_THAT(text, HasSubstr("| 1 kHz |"));
  EXPECT_THAT(text, HasSubstr("\\<script>"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST(FindingsText, IsJsonWithTheCellsThatItRestsOn) {
  const auto object = base::parse_json(findings_json(hostile_study(), {}));
  ASSERT_FALSE(object.is_discarded());
  const auto& first = object.at("findings").at(0);
  EXPECT_EQ(first.at("verdict"), "confirmed");
  EXPECT_EQ(first.at("evidence").size(), 2U);
  EXPECT_EQ(first.at("evidence").at(0).at("technique"), "dump");
  EXPECT_EQ(object.at("facts").at("host_kernel"), "6.1");
}

}  // namespace
}  // namespace vitrine::cli
