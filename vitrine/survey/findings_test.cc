#include "vitrine/survey/findings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace vitrine::survey {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Measured cell(const std::string& technique, std::vector<Figures> runs,
              const std::string& pause = "none") {
  Measured measured{{"demo", "idle", "processes", technique, pause}, {}};
  for (Figures& figures : runs)
    measured.runs.push_back({1, State::measured, "", std::move(figures), {}});
  return measured;
}

Measured rate(const std::string& technique, const std::vector<double>& rates) {
  std::vector<Figures> runs;
  for (const double rate : rates) runs.push_back({{"per_second", rate}});
  return cell(technique, std::move(runs));
}

Measured snapshot(const std::string& technique, double stopped_ns, double latency_ns) {
  return cell(technique, {{{"stopped_ns", stopped_ns}, {"latency_p50_ns", latency_ns}}});
}

Measured audited(double audited, double extrinsic, double intrinsic, const std::string& pause) {
  return cell("process-vm",
              {{{"audited", audited}, {"extrinsic", extrinsic}, {"intrinsic", intrinsic}}}, pause);
}

// The finding whose statement holds `part`, of a study of these cells.
Finding about(const std::string& part, std::vector<Measured> cells) {
  for (Finding& finding : findings({{}, {}, std::move(cells)}))
    if (finding.statement.find(part) != std::string::npos) return finding;
  throw std::invalid_argument("there is no finding about " + part);
}

Verdict verdict(const std::string& part, std::vector<Measured> cells) {
  return about(part, std::move(cells)).verdict;
}

TEST(Findings, AnEmptyStudyKnowsNothing) {
  for (const Finding& finding : findings({})) {
    EXPECT_EQ(finding.verdict, Verdict::unknown) << finding.statement;
    EXPECT_FALSE(finding.explanation.empty());
    EXPECT_THAT(finding.evidence, IsEmpty());
  }
}

TEST(Findings, RangeBetweenTechniques) {
  const std::string part = "orders of magnitude";
  const std::vector<Measured> far{rate("map", {258000, 250000, 260000}), rate("gdb", {96}),
                                  rate("dump", {2.5})};
  const Finding finding = about(part, far);
  EXPECT_EQ(finding.verdict, Verdict::confirmed);
  EXPECT_THAT(finding.explanation, HasSubstr("from dump at 2.5 Hz to map at 258 kHz"));
  EXPECT_THAT(finding.evidence, ElementsAre(far[2].cell, far[0].cell));
  EXPECT_EQ(verdict(part, {rate("map", {500}), rate("dump", {10})}), Verdict::refined);
  EXPECT_EQ(verdict(part, {rate("map", {50}), rate("dump", {10})}), Verdict::refuted);
  EXPECT_EQ(verdict(part, {rate("map", {50})}), Verdict::unknown);
}

TEST(Findings, AreNotDrawnFromDifferentGuestsOrPacedRuns) {
  std::vector<Measured> cells{rate("map", {258000}), rate("dump", {2.5})};
  cells[1].cell.guest = "other";
  EXPECT_EQ(verdict("orders of magnitude", cells), Verdict::unknown);
  cells[1].cell = cell("dump", {}).cell;
  EXPECT_EQ(verdict("orders of magnitude", cells), Verdict::confirmed);
  cells[1].cell.frequency_hz = 2.5;
  EXPECT_EQ(verdict("orders of magnitude", cells), Verdict::unknown);
}

TEST(Findings, MappingAgainstReads) {
  const std::string part = "mapped memory";
  EXPECT_EQ(verdict(part, {rate("map", {200, 190}), rate("process-vm", {100, 110})}),
            Verdict::confirmed);
  // A run that is slower than one of the other makes it less than certain.
  EXPECT_EQ(verdict(part, {rate("map", {200, 105}), rate("process-vm", {100, 110})}),
            Verdict::refined);
  EXPECT_EQ(verdict(part, {rate("map", {50}), rate("process-vm", {100})}), Verdict::refuted);
  EXPECT_EQ(verdict(part, {rate("map", {50}), rate("gdb", {100})}), Verdict::unknown);
}

TEST(Findings, ReadsAgainstSnapshotsOfBothKinds) {
  const Finding finding = about("taking snapshots", {rate("process-vm", {9000}), rate("fork", {40}),
                                                     rate("proc-mem", {5000}), rate("dump", {3})});
  EXPECT_EQ(finding.verdict, Verdict::confirmed);
  EXPECT_THAT(finding.explanation, HasSubstr("process-vm sustains 9 kHz, fork 40 Hz"));
  const Finding part = about(
      "taking snapshots", {rate("process-vm", {9000}), rate("fork", {40}), rate("proc-mem", {30})});
  EXPECT_EQ(part.verdict, Verdict::refined);
  EXPECT_THAT(part.explanation, HasSubstr("but proc-mem only 30 Hz"));
}

TEST(Findings, StopsOfSnapshots) {
  EXPECT_EQ(verdict("A halting", {snapshot("dump", 300e6, 310e6)}), Verdict::confirmed);
  EXPECT_EQ(verdict("A halting", {snapshot("dump", 3e6, 310e6)}), Verdict::refuted);
  EXPECT_EQ(verdict("A live", {snapshot("fork", 22e6, 25e6), snapshot("dump", 300e6, 310e6)}),
            Verdict::confirmed);
  EXPECT_EQ(verdict("A live", {snapshot("fork", 80e6, 85e6), snapshot("dump", 300e6, 310e6)}),
            Verdict::refined);
  EXPECT_EQ(verdict("A live", {snapshot("fork", 400e6, 1e9), snapshot("dump", 300e6, 310e6)}),
            Verdict::refuted);
}

TEST(Findings, CostOfPausing) {
  const Figures live{{"latency_p50_ns", 1e5}};
  const Figures paused{{"latency_p50_ns", 1.79e6}, {"stopped_ns", 1.52e6}};
  const Figures frozen{{"latency_p50_ns", 1.2e5}, {"stopped_ns", 2e4}};
  const std::vector<Measured> cells{cell("process-vm", {live}), cell("process-vm", {paused}, "vmm"),
                                    cell("process-vm", {frozen}, "freeze")};
  const Finding finding = about("takes longer", {cells[0], cells[1]});
  EXPECT_EQ(finding.verdict, Verdict::confirmed);
  EXPECT_THAT(finding.explanation,
              HasSubstr("1.79 ms instead of 100 us an observation, the guest stopped for 1.52 ms"));
  EXPECT_EQ(verdict("takes longer", {cells[0], cells[2]}), Verdict::refuted);
  const Finding both = about("takes longer", {cells[0], cells[2], cells[1]});
  EXPECT_EQ(both.verdict, Verdict::refined);
  EXPECT_THAT(both.explanation, HasSubstr("1.52 ms; but process-vm --pause=freeze"));
  EXPECT_EQ(verdict("takes longer", {cells[1], cells[2]}), Verdict::unknown);
}

TEST(Findings, WorthOfPausing) {
  const std::string part = "very little";
  // Live observations hardly ever met what a pause can remove.
  EXPECT_EQ(verdict(part, {audited(10000, 20, 4000, "none"), audited(10000, 0, 4100, "vmm")}),
            Verdict::confirmed);
  // It removes something, and leaves more.
  const Finding finding =
      about(part, {audited(10000, 1000, 4000, "none"), audited(10000, 10, 4100, "vmm")});
  EXPECT_EQ(finding.verdict, Verdict::refined);
  EXPECT_THAT(finding.explanation, HasSubstr("moved 0.1 % paused instead of 10 % live"));
  // It removes nearly all there is.
  EXPECT_EQ(verdict(part, {audited(10000, 5000, 100, "none"), audited(10000, 10, 90, "vmm")}),
            Verdict::refuted);
  // Ten observations tell nothing.
  const Finding few = about(part, {audited(10, 1, 4, "none"), audited(10, 0, 4, "vmm")});
  EXPECT_EQ(few.verdict, Verdict::unknown);
  EXPECT_THAT(few.explanation, HasSubstr("Too few"));
  EXPECT_EQ(verdict(part, {audited(10000, 20, 4000, "none"), cell("process-vm", {{}}, "vmm")}),
            Verdict::unknown);
}

}  // namespace
}  // namespace vitrine::survey
