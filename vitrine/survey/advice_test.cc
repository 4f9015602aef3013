#include "vitrine/survey/advice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vitrine::survey {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Runs flat out of 1 ms latency, what `figures` says apart.
Measured way(const std::string& technique, Figures figures, const std::string& pause = "none",
             const std::string& demand = "none") {
  const Figures usual{{"per_second", 1000}, {"latency_p50_ns", 1e6}, {"latency_p99_ns", 2e6},
                      {"stopped_ns", 0},    {"cpu_ns", 1e6},         {"vmm_cpu_ns", 1e5},
                      {"stopped_share", 0}, {"cpu_share", 1},        {"views", 1000},
                      {"reached", 1000}};
  figures.insert(usual.begin(), usual.end());
  return {{"demo", "idle", "processes", technique, pause, demand, 0},
          {{1, State::measured, "", figures, {}}}};
}

Study surveyed() {
  Study study;
  study.cells = {
      way("fork", {{"stopped_ns", 22e6}, {"per_second", 40}, {"stopped_share", 0.9}}),
      way("process-vm", {}),
      way("map", {{"per_second", 250e3}, {"cpu_ns", 4e3}, {"latency_p50_ns", 4e3}}),
      way("process-vm", {{"stopped_ns", 2e5}, {"per_second", 500}}, "freeze"),
      way("process-vm", {{"stopped_ns", 8e5}, {"per_second", 300}}, "vmm"),
      way("process-vm", {{"per_second", 450}, {"reached", 995}, {"cpu_ns", 2.2e6}}, "none",
          "atomic"),
      way("process-vm", {{"per_second", 400}, {"reached", 900}, {"cpu_ns", 2.4e6}}, "none",
          "quiescent"),
      way("dump", {{"stopped_ns", 315e6}, {"per_second", 3}}),
      way("agent", {{"per_second", 10}}),
      way("adopt", {}),
  };
  return study;
}

std::string text(const Way& way) {
  return way.technique + (way.pause == "none" ? "" : " " + way.pause) +
         (way.demand == "none" ? "" : " " + way.demand);
}

std::vector<std::string> that_fit(const std::vector<Advice>& all) {
  std::vector<std::string> ways;
  for (const Advice& advice : all)
    if (advice.fit == Fit::fits) ways.push_back(text(advice.way));
  return ways;
}

std::vector<std::string> fitting(const Needs& needs, const Study& study = surveyed()) {
  return that_fit(advise(study, needs, {}));
}

// What is said of that way for that need: "fits: …", "unknown: …", "unfit: …".
std::string said(const Study& study, const Needs& needs, const std::string& way,
                 const std::string& need) {
  for (const Advice& advice : advise(study, needs, {}))
    for (const Reason& reason : advice.reasons)
      if (text(advice.way) == way && reason.need == need)
        return (reason.fit == Fit::fits      ? "fits: "
                : reason.fit == Fit::unknown ? "unknown: "
                                             : "unfit: ") +
               reason.text;
  return "nothing";
}

TEST(Advice, RanksByEffectThenStopThenCostThenLatency) {
  EXPECT_THAT(fitting(Needs{}),
              ElementsAre("map", "process-vm", "process-vm atomic", "process-vm quiescent", "agent",
                          "process-vm freeze", "process-vm vmm", "fork", "dump", "adopt"));
}

TEST(Advice, LatencyDecidesWhereAllElseIsEqualAndTheUnknownComesLast) {
  Study study;
  study.cells = {way("proc-mem", {{"latency_p50_ns", 2e6}}), way("process-vm", {}), way("map", {})};
  study.cells[2].runs[0].figures.erase("vmm_cpu_ns");
  EXPECT_THAT(fitting(Needs{}, study), ElementsAre("process-vm", "proc-mem", "map"));
}

TEST(Advice, JudgesStopsAndSaysTheNumbers) {
  const Needs needs{.max_stop_ns = 1e6};
  EXPECT_THAT(fitting(needs),
              ElementsAre("map", "process-vm", "process-vm atomic", "process-vm quiescent", "agent",
                          "process-vm freeze", "process-vm vmm", "adopt"));
  EXPECT_EQ(said(surveyed(), needs, "dump", "max-stop"),
            "unfit: stops the guest 315 ms an observation; at most 1 ms asked");
  EXPECT_EQ(said(surveyed(), needs, "process-vm freeze", "max-stop"),
            "fits: stops the guest 200 us an observation");
}

TEST(Advice, JudgesHowOftenAndWhatThatCosts) {
  Needs needs{.frequency_hz = 10, .max_stopped_share = 0.1, .max_cpu_share = 0.02};
  EXPECT_EQ(said(surveyed(), needs, "dump", "frequency"), "unfit: sustains 3 Hz; 10 Hz asked");
  EXPECT_EQ(said(surveyed(), needs, "agent", "frequency"), "fits: sustains 10 Hz");
  EXPECT_EQ(said(surveyed(), needs, "fork", "max-stopped"),
            "unfit: has the guest stopped 22 % of the time; at most 10 % asked");
  EXPECT_EQ(said(surveyed(), needs, "process-vm", "max-cpu"), "fits: takes 1 % of a processor");
  needs.frequency_hz.reset();
  EXPECT_EQ(said(surveyed(), needs, "fork", "max-stopped"),
            "unfit: has the guest stopped 90 % of the time; at most 10 % asked");
}

TEST(Advice, JudgesLatencyByTheSlowestOfAHundred) {
  EXPECT_EQ(said(surveyed(), {.max_latency_ns = 1.5e6}, "map", "max-latency"),
            "unfit: takes 2 ms or less in 99 of 100 observations; at most 1.5 ms asked");
}

TEST(Advice, KnowsWhatIsOfOneInstant) {
  EXPECT_THAT(fitting({.atomic = true}), ElementsAre("process-vm atomic", "process-vm freeze",
                                                     "process-vm vmm", "fork", "dump"));
  // Nine of ten are not enough.
  EXPECT_THAT(fitting({.quiescent = true}), IsEmpty());
  EXPECT_EQ(said(surveyed(), {.quiescent = true}, "process-vm quiescent", "quiescent"),
            "unfit: --quiescent was reached in 90 % of the observations; 99 % asked");
  EXPECT_THAT(said(surveyed(), {.atomic = true}, "map", "atomic"),
              HasSubstr("several instants; --atomic rules that out"));
}

TEST(Advice, KnowsWhatEachWayTouches) {
  EXPECT_THAT(fitting({.passive = true}),
              ElementsAre("map", "process-vm", "process-vm atomic", "process-vm quiescent"));
  EXPECT_EQ(said(surveyed(), {.passive = true}, "process-vm freeze", "passive"),
            "unfit: it pauses the VM");
  EXPECT_EQ(said(surveyed(), {.no_guest_changes = true}, "agent", "no-guest-changes"),
            "unfit: needs that the QEMU guest agent runs in the guest");
  EXPECT_THAT(fitting({.no_manager = true}),
              ElementsAre("map", "process-vm", "process-vm atomic", "process-vm quiescent", "agent",
                          "process-vm freeze", "fork"));
  EXPECT_THAT(fitting({.no_restart = true}),
              ElementsAre("process-vm", "process-vm atomic", "process-vm quiescent",
                          "process-vm freeze", "fork"));
  EXPECT_THAT(said(surveyed(), {.no_restart = true}, "map", "no-restart"),
              HasSubstr("RAM on a shared backend"));
}

TEST(Advice, NeverAssumesWhatWasNotMeasured) {
  Study study;
  study.cells = {way("process-vm", {}), way("map", {}), way("qmp", {}), way("gdb", {})};
  study.cells[0].runs[0].figures.erase("stopped_ns");
  study.cells[1].runs = {{1, State::refused, "its RAM is private", {}, {}}};
  study.cells[2].runs.clear();
  const Needs needs{.frequency_hz = 2000, .max_stop_ns = 1e6};
  EXPECT_EQ(said(study, needs, "process-vm", "max-stop"), "unknown: no figure of it was measured");
  EXPECT_EQ(said(study, needs, "map", "survey"),
            "unknown: could not be used when it was to be measured: its RAM is private");
  EXPECT_EQ(said(study, needs, "qmp", "survey"), "unknown: was not measured");
  EXPECT_THAT(fitting(needs, study), IsEmpty());
  // A way that was only ever asked for 10 Hz may do more.
  study.cells[3].cell.frequency_hz = 10;
  study.cells[3].runs[0].figures["per_second"] = 9.9;
  EXPECT_EQ(said(study, needs, "gdb", "frequency"),
            "unknown: was not measured at more than 9.9 Hz");
  study.cells[3].runs[0].figures["per_second"] = 7;
  EXPECT_EQ(said(study, needs, "gdb", "frequency"), "unfit: sustains 7 Hz; 2 kHz asked");
}

TEST(Advice, TakesTheWorstOfAllGuestsAndWorkloadsAndTheScopeLeavesSomeOut) {
  Study study;
  study.cells = {way("fork", {{"stopped_ns", 2e6}}), way("fork", {{"stopped_ns", 60e6}}),
                 way("fork", {{"stopped_ns", 9e6}})};
  study.cells[1].cell.guest = "large";
  study.cells[2].cell.view = "files";
  const auto stop = [&study](const Scope& scope) {
    return advise(study, {}, scope).at(0).stopped_ns.value();
  };
  EXPECT_EQ(stop({}), 60e6);
  EXPECT_EQ(stop({.guest = "demo"}), 2e6);
  EXPECT_EQ(stop({.view = "files"}), 9e6);
  EXPECT_THAT(advise(study, {}, {.workload = "busy"}), IsEmpty());
  EXPECT_EQ(advise(study, {}, {.guest = "large"}).at(0).evidence, std::vector{study.cells[1].cell});
}

TEST(Advice, TakesFiguresFromTheFrequencyNearestToTheOneAskedFor) {
  Study study;
  study.cells = {way("process-vm", {}), way("process-vm", {{"per_second", 10}, {"cpu_ns", 7e6}})};
  study.cells[1].cell.frequency_hz = 10;
  EXPECT_EQ(advise(study, {}, {}).at(0).cpu_ns, 1e6);
  const Advice advice = advise(study, {.frequency_hz = 20}, {}).at(0);
  EXPECT_EQ(advice.cpu_ns, 7e6);
  EXPECT_EQ(advice.pace_hz, 10);
  EXPECT_EQ(advice.per_second, 1000);  // that it can be had so often is known all the same
}

// An observation costs more where the tool slept before it.
TEST(Advice, ComparesWaysAtAPaceThatAllWereMeasuredAt) {
  Study study;
  study.cells = {way("process-vm", {{"cpu_ns", 1e5}}),
                 way("process-vm", {{"per_second", 10}, {"cpu_ns", 2e6}}),
                 way("proc-mem", {{"cpu_ns", 2e5}})};
  study.cells[1].cell.frequency_hz = 10;
  const Needs needs{.frequency_hz = 10, .max_cpu_share = 0.5};
  const auto all = advise(study, needs, {});
  EXPECT_THAT(that_fit(all), ElementsAre("process-vm", "proc-mem"));
  EXPECT_EQ(all[0].pace_hz, 0);
  EXPECT_EQ(all[0].cpu_ns, 1e5);
  // What is needed is judged by the nearest all the same.
  EXPECT_EQ(said(study, needs, "process-vm", "max-cpu"), "fits: takes 2 % of a processor");
}

TEST(Advice, TheVmHasTheLastWord) {
  const auto all = advise(surveyed(), {.no_restart = true}, {}, [](const Way& way) {
    const bool usable = way.technique == "map";
    return std::vector<Reason>{{"VM", usable ? Fit::fits : Fit::unfit, "its RAM is shared"}};
  });
  EXPECT_THAT(that_fit(all), ElementsAre("map"));
}

TEST(Advice, NamesWhatExcludesMost) {
  EXPECT_EQ(most_excluding(advise(surveyed(), {.max_stop_ns = 1e6, .quiescent = true}, {})),
            "quiescent");
  EXPECT_EQ(most_excluding(advise(surveyed(), {}, {})), "");
}

TEST(Advice, GivesTheCommandToRun) {
  EXPECT_EQ(command_line({"fork", "none", "none"}, "ps", "demo", {}),
            "vitrine ps demo --technique fork");
  EXPECT_EQ(command_line({"fork", "none", "none"}, "ps", "it's mine; rm", {}),
            "vitrine ps 'it'\\''s mine; rm' --technique fork");
  EXPECT_EQ(command_line({"map", "freeze", "quiescent"}, "lsof", "42", {.frequency_hz = 10}),
            "vitrine lsof 42 --technique map --pause=freeze --quiescent --watch 0.1");
  EXPECT_EQ(command_line({"adopt", "none", "none"}, "ps", "demo", {.frequency_hz = 1000}),
            "vitrine ps demo --technique adopt --allow-persistent-change");
}

}  // namespace
}  // namespace vitrine::survey
