#include "vitrine/survey/report_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "vitrine/base/json.h"
#include "vitrine/techniques/technique.h"

namespace vitrine::survey {
namespace {

using base::Json;

Run measured_run(Figures figures) {
  Run run;
  run.figures = std::move(figures);
  return run;
}

Run unsuccessful_run(State state, std::string reason) {
  Run run;
  run.state = state;
  run.reason = std::move(reason);
  return run;
}

Json cell_with(std::vector<Run> runs) {
  Study study;
  study.cells = {{{"web", "idle", "processes", "map", "none", "none", 0}, std::move(runs)}};
  return base::parse_json(report_data(study))["cells"][0];
}

TEST(ReportData, SumsUpTheRunsThatMeasured) {
  const Json cell = cell_with(
      {measured_run({{"per_second", 30}, {"cpu_ns", 5}}), measured_run({{"per_second", 10}}),
       measured_run({{"per_second", 12}}), unsuccessful_run(State::failed, "the VM ended")});
  EXPECT_EQ(cell["state"], "measured");
  EXPECT_EQ(cell["runs"], 3);
  EXPECT_EQ(cell["unsuccessful"], 1);
  EXPECT_EQ(cell["reason"], "the VM ended");
  EXPECT_EQ(cell["figures"],
            base::parse_json(R"({"cpu_ns": {"median": 5.0, "low": 5.0, "high": 5.0},
      "per_second": {"median": 12.0, "low": 10.0, "high": 30.0}})"));
}

TEST(ReportData, HasNoFiguresForWhatWasNotMeasured) {
  const Json refused = cell_with({unsuccessful_run(State::refused, "no QMP socket")});
  EXPECT_EQ(refused["state"], "refused");
  EXPECT_EQ(refused["reason"], "no QMP socket");
  EXPECT_EQ(refused["figures"], Json::object());
  EXPECT_EQ(refused["audit"], nullptr);
  EXPECT_EQ(cell_with({})["state"], "missing");
  const Json unknown =
      cell_with({measured_run({{"per_second", std::numeric_limits<double>::quiet_NaN()}})});
  EXPECT_EQ(unknown["figures"], Json::object());
}

TEST(ReportData, AddsUpAuditsWithTheirIntervals) {
  const Json audit =
      cell_with({measured_run({{"audited", 15}, {"intrinsic", 0}, {"extrinsic", 1}}),
                 measured_run({{"audited", 14}, {"intrinsic", 0}, {"extrinsic", 0}})})["audit"];
  EXPECT_EQ(audit["audited"], 29);
  EXPECT_NEAR(audit["extrinsic"]["share"], 1 / 29.0, 1e-9);
  EXPECT_NEAR(audit["extrinsic"]["low"], 0.0061, 1e-4);  // Newcombe (1998), as in wilson_test.cc
  EXPECT_NEAR(audit["extrinsic"]["high"], 0.1718, 1e-4);
  EXPECT_EQ(audit["intrinsic"]["low"], 0.0);
}

TEST(ReportData, AddsUpDistributionsInStepsThatAChartCanShow) {
  auto run = measured_run({});
  run.latencies = {{0, 2}, {1000, 1}, {1001, 4}, {1050, 5}};
  const Json latencies = cell_with({run, run})["latencies"];
  // A fortieth of a decade above 1000 is 1059.25.
  EXPECT_EQ(latencies, base::parse_json("[[1.0, 4], [1000.0, 2], [1059.0, 18]]"));
}

TEST(ReportData, DescribesEveryTechnique) {
  const Json data = base::parse_json(report_data({}));
  ASSERT_EQ(data["techniques"].size(), techniques::all().size());
  EXPECT_EQ(data["techniques"][0]["id"], techniques::all()[0]->description().id);
  EXPECT_FALSE(data["findings"].empty());
}

TEST(ReportData, StandsInAScriptWhateverAGuestIsCalled) {
  Study study;
  study.guests = {{"</script><!-- <script> \xff \xe2\x80\xa8", "", 0, 0, 0}};
  const std::string data = report_data(study);
  EXPECT_EQ(data.find('<'), std::string::npos);
  EXPECT_EQ(base::parse_json(data)["guests"][0]["name"], "</script><!-- <script> \ufffd \u2028");
}

}  // namespace
}  // namespace vitrine::survey
