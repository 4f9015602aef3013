#include "vitrine/survey/study_from_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vitrine/survey/study_json.h"

namespace vitrine::survey {
namespace {

using testing::HasSubstr;

Study example() {
  Study study;
  study.facts = {{"accelerator", "tcg"}, {"host_kernel", "6.18.44 \"ü\" \\"}};
  study.guests.push_back({"demo", "6.1.0-50", 1ull << 30, 2, 140});
  Run run{1700000000123456789, State::measured, "", {{"per_second", 0.1}, {"stopped_ns", 0}}, {}};
  run.latencies = {{3700, 41}, {18446744073709551615ull, 1}};
  const Run refused{1, State::refused, "the VM's RAM is private; start it with share=on", {}, {}};
  study.cells.push_back({{"demo", "idle", "processes", "fork", "none", "atomic", 10.5}, {run}});
  study.cells.push_back({{"demo", "idle", "processes", "map"}, {refused, run}});
  study.cells.push_back({{"demo", "idle", "processes", "qmp", "vmm"}, {}});
  return study;
}

TEST(StudyFromJson, GivesBackWhatWasWritten) {
  const auto read = study_from_json(study_json(example()));
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_EQ(study_json(*read), study_json(example()));
  EXPECT_EQ(read->facts, example().facts);
  ASSERT_EQ(read->cells.size(), 3u);
  EXPECT_EQ(read->cells[0].cell, example().cells[0].cell);
  EXPECT_EQ(read->cells[0].runs[0].figures, example().cells[0].runs[0].figures);
  EXPECT_EQ(read->cells[0].runs[0].latencies, example().cells[0].runs[0].latencies);
  EXPECT_EQ(read->cells[1].runs[0].state, State::refused);
  EXPECT_EQ(read->cells[1].runs[0].reason, example().cells[1].runs[0].reason);
  EXPECT_EQ(read->guests[0].memory_bytes, 1ull << 30);
}

TEST(StudyFromJson, PassesOverWhatItDoesNotKnow) {
  const auto read =
      study_from_json(R"({"schema":1,"facts":{},"guests":[],"cells":[],"findings":[1,2]})");
  EXPECT_TRUE(read);
}

TEST(StudyFromJson, NamesALaterSchema) {
  const auto read = study_from_json(R"({"schema":2})");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, base::Code::unsupported);
}

// `from` in the JSON of the example replaced by `to`.
std::string why_not(const std::string& from, const std::string& to) {
  std::string text = study_json(example());
  const std::size_t place = text.find(from);
  if (place == std::string::npos) return "the example has no " + from;
  const auto read = study_from_json(text.replace(place, from.size(), to));
  return read ? "it was read" : read.error().message;
}

TEST(StudyFromJson, SaysWhereItIsWrong) {
  EXPECT_THAT(study_from_json("[]").error().message, HasSubstr("no JSON of a survey"));
  EXPECT_THAT(study_from_json("{").error().message, HasSubstr("no JSON of a survey"));
  EXPECT_THAT(why_not("\"schema\":1,", ""), HasSubstr("schema is missing"));
  EXPECT_THAT(why_not("\"measured\"", "\"guessed\""), HasSubstr("cells[0].runs[0].state is none"));
  EXPECT_THAT(why_not("\"fork\"", "7"), HasSubstr("cells[0].technique is no text"));
  EXPECT_THAT(why_not("\"processors\":2", "\"processors\":-2"),
              HasSubstr("guests[0].processors is no whole number"));
  EXPECT_THAT(why_not("\"processors\":2", "\"processors\":2.5"), HasSubstr("processors is no"));
  EXPECT_THAT(why_not("[3700,41]", "[3700]"), HasSubstr("cells[0].runs[0].latencies has"));
  EXPECT_THAT(why_not("\"per_second\":0.1", "\"per_second\":null"),
              HasSubstr("figures.per_second is no number"));
  EXPECT_THAT(why_not("\"per_second\":0.1", "\"per_second\":1e999"),
              HasSubstr("no JSON of a survey"));
  EXPECT_THAT(why_not("\"tcg\"", "{}"), HasSubstr("facts.accelerator is no text"));
  EXPECT_THAT(why_not("1700000000123456789", "18446744073709551615"),
              HasSubstr("started_unix_ns is no time"));
  EXPECT_THAT(why_not("10.5", "-1"), HasSubstr("cells[0].frequency_hz is negative"));
}

}  // namespace
}  // namespace vitrine::survey
