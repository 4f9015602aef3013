#include "apps/cli/survey_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vitrine::cli {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

survey::Run measured(double per_second, double one_instant) {
  survey::Run run;
  run.figures = {{"per_second", per_second},  {"latency_p50_ns", 2.5e6}, {"latency_p99_ns", 31'250},
                 {"stopped_ns", 0},           {"cpu_share", 0.125},      {"views", 100},
                 {"one_instant", one_instant}};
  return run;
}

survey::Study study() {
  survey::Study study;
  study.cells = {{{"demo", "as found", "processes", "map", "none", "atomic", 10},
                  {measured(5, 100), measured(1000, 100), measured(300, 96)}},
                 {{"demo", "as found", "processes", "qmp"}, {measured(60.5, 0)}},
                 {{"demo", "as found", "processes", "dump"}, {}},
                 {{"demo", "as found", "sockets", "dump"}, {}}};
  survey::Run refused;
  refused.state = survey::State::refused;
  refused.reason = "it would stay";
  study.cells.push_back({{"demo", "as found", "processes", "adopt"}, {refused}});
  return study;
}

TEST(SurveyText, ShowsMediansOfEachWay) {
  const std::string text = survey_text(study(), {});
  EXPECT_THAT(text, HasSubstr("PER_SECOND"));
  EXPECT_THAT(text, MatchesRegex("(.|\n)*processes +map +atomic, 10 Hz +300 +2.5 ms +31.3 us +0 "
                                 "+12.5% +98.7%\n(.|\n)*"));
  EXPECT_THAT(text, MatchesRegex("(.|\n)*processes +qmp +- +60.5 (.|\n)*unknown\n(.|\n)*"));
}

TEST(SurveyText, ListsWhatWasNotMeasured) {
  const std::string text = survey_text(study(), {});
  EXPECT_THAT(text, HasSubstr("Not measured:\n"));
  EXPECT_THAT(text, HasSubstr("  adopt (processes): it would stay\n"));
  EXPECT_THAT(text, HasSubstr("  dump (processes; sockets): not run yet\n"));
  EXPECT_THAT(text, Not(HasSubstr("map (")));
}

TEST(SurveyText, ShowsAFailureThatNeverBecameBetter) {
  survey::Study failing = study();
  failing.cells[0].runs.resize(1);
  failing.cells[0].runs[0].state = survey::State::failed;
  failing.cells[0].runs[0].reason = "no room\x1b[2J";
  EXPECT_THAT(survey_text(failing, {}),
              HasSubstr("map (processes atomic, 10 Hz): failed: no room\\x1b[2J\n"));
}

TEST(SurveyText, TellsHowFarItIs) {
  const survey::Cell cell = study().cells[0].cell;
  const survey::Progress progress{&cell, 2, 0, {}, std::chrono::seconds(130)};
  EXPECT_EQ(survey_progress(progress),
            "round 2: processes through map, atomic, 10 Hz; about 3 min left");
}

TEST(SurveyText, RoundsTimesUp) {
  EXPECT_EQ(duration_text(std::chrono::milliseconds(1)), "1 s");
  EXPECT_EQ(duration_text(std::chrono::seconds(90)), "90 s");
  EXPECT_EQ(duration_text(std::chrono::seconds(91)), "2 min");
  EXPECT_EQ(duration_text(std::chrono::minutes(91)), "2 h");
}

}  // namespace
}  // namespace vitrine::cli
