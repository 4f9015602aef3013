#include "vitrine/survey/study_json.h"

#include <gtest/gtest.h>

#include <limits>

#include "vitrine/base/json.h"

namespace vitrine::survey {
namespace {

Study small_study() {
  Study study;
  study.facts = {{"host_kernel", "6.18.44"}};
  study.guests = {{"web, \"main\"", "6.1.0-50", 1u << 30, 2, 140}};
  const Cell map{"web, \"main\"", "idle", "processes", "map", "none", "none", 0};
  const Cell dump{"web, \"main\"", "idle", "processes", "dump", "none", "none", 0.5};
  Run measured;
  measured.started_unix_ns = 1'700'000'000'123'456'789;
  measured.figures = {{"per_second", 1234.5}, {"stopped_ns", 0}};
  measured.latencies = {{4096, 3}, {8191, 1}};
  Run refused;
  refused.state = State::refused;
  refused.reason = "no QMP socket,\nstart the VM with -qmp";
  study.cells = {{map, {measured}},
                 {dump, {refused}},
                 {{"web, \"main\"", "idle", "files", "map", "none", "none", 0}, {}}};
  return study;
}

TEST(StudyJson, KeepsEverything) {
  const base::Json json = base::parse_json(study_json(small_study()));
  EXPECT_EQ(json["schema"], 1);
  EXPECT_EQ(json["facts"], base::Json({{"host_kernel", "6.18.44"}}));
  EXPECT_EQ(json["guests"], base::parse_json(R"([{"name": "web, \"main\"", "release": "6.1.0-50",
      "memory_bytes": 1073741824, "processors": 2, "tasks": 140}])"));
  EXPECT_EQ(json["cells"][0], base::parse_json(R"({"guest": "web, \"main\"", "workload": "idle",
      "view": "processes", "technique": "map", "pause": "none", "demand": "none",
      "frequency_hz": 0.0, "runs": [{"started_unix_ns": 1700000000123456789, "state": "measured",
      "reason": "", "figures": {"per_second": 1234.5, "stopped_ns": 0.0},
      "latencies": [[4096, 3], [8191, 1]]}]})"));
}

TEST(StudyJson, DistinguishesRefusedFromNotRun) {
  const base::Json json = base::parse_json(study_json(small_study()));
  EXPECT_EQ(json["cells"][1]["runs"][0]["state"], "refused");
  EXPECT_EQ(json["cells"][1]["runs"][0]["figures"], base::Json::object());
  EXPECT_EQ(json["cells"][2]["runs"], base::Json::array());
}

TEST(StudyJson, IsAsciiWhateverTheGuestIsCalled) {
  Study study;
  study.guests = {{"\xff\xe2\x80\xae\x1b[2J", "", 0, 0, 0}};
  const std::string text = study_json(study);
  EXPECT_EQ(text.find_first_not_of(" !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"),
            std::string::npos);
  EXPECT_EQ(base::parse_json(text)["guests"][0]["name"], "\ufffd\u202e\x1b[2J");
}

TEST(StudyJson, LeavesOutWhatIsNoNumber) {
  Study study = small_study();
  study.cells[0].runs[0].figures["collects"] = std::numeric_limits<double>::quiet_NaN();
  const base::Json json = base::parse_json(study_json(study));
  EXPECT_FALSE(json["cells"][0]["runs"][0]["figures"].contains("collects"));
}

TEST(StudyCsv, HasALinePerRunAndAColumnPerFigure) {
  EXPECT_EQ(study_csv(small_study()),
            "guest,workload,view,technique,pause,demand,frequency_hz,run,started_unix_ns,state,"
            "reason,per_second,stopped_ns\n"
            "\"web, \"\"main\"\"\",idle,processes,map,none,none,0,1,1700000000123456789,measured,,"
            "1234.5,0\n"
            "\"web, \"\"main\"\"\",idle,processes,dump,none,none,0.5,1,0,refused,"
            "\"no QMP socket,\nstart the VM with -qmp\",,\n");
}

TEST(StudyCsv, OfNothingIsTheLineOfNames) {
  EXPECT_EQ(study_csv({}),
            "guest,workload,view,technique,pause,demand,frequency_hz,run,started_unix_ns,state,"
            "reason\n");
}

}  // namespace
}  // namespace vitrine::survey
