#include "apps/cli/advice_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vitrine/base/json.h"

namespace vitrine::cli {
namespace {

using survey::Advice;
using survey::Fit;
using testing::HasSubstr;
using testing::Not;

AdviceReport example_advice() {
  AdviceReport report;
  report.source = "shipped";
  report.origin = "host kernel 6.18.44";
  report.facts = {{"host_kernel", "6.18.44"}};
  report.vm_word = "demo";
  report.view_verb = "ps";
  report.needs.max_stop_ns = 1e6;
  Advice fits;
  fits.way = {"process-vm", "none", "atomic"};
  fits.effect = techniques::Effect::passive;
  fits.per_second = 9276;
  fits.pace_hz = 10;
  fits.stopped_ns = 0;
  fits.latency_p50_ns = 105e3;
  fits.evidence = {{"demo", "idle", "processes", "process-vm", "none", "atomic", 0}};
  Advice unfit;
  unfit.way = {"dump", "none", "none"};
  unfit.fit = Fit::unfit;
  unfit.reasons = {{"max-stop", Fit::unfit, "stops the guest 315 ms\x1b[2J"},
                   {"passive", Fit::fits, "secret"},
                   {"max-cpu", Fit::unknown, "no figure"}};
  report.advice = {fits, unfit};
  return report;
}

TEST(AdviceText, ShowsFiguresAndTheCommand) {
  const std::string text = advice_text(example_advice(), false, {});
  EXPECT_THAT(
      text,
      HasSubstr("By the survey shipped (host kernel 6.18.44): processes at 10 Hz, the worst on "
                "any guest at any work."));
  EXPECT_THAT(text, HasSubstr("process-vm --atomic  passive  0 ns"));
  EXPECT_THAT(text, HasSubstr("105 us"));
  EXPECT_THAT(text, HasSubstr("unknown"));  // what it costs
  EXPECT_THAT(text, HasSubstr("9.28 kHz"));
  EXPECT_THAT(text, HasSubstr("Run: vitrine ps demo --technique process-vm --atomic\n"));
  EXPECT_THAT(text, HasSubstr("Left out: 1 of 2 ways; --all says why."));
  EXPECT_THAT(text, Not(HasSubstr("dump")));
}

TEST(AdviceText, SaysWhyWaysWereLeftOutHarmlessly) {
  const std::string text = advice_text(example_advice(), true, {});
  EXPECT_THAT(text,
              HasSubstr("dump: max-stop: stops the guest 315 ms\\x1b[2J; max-cpu: no figure"));
  EXPECT_THAT(text, Not(HasSubstr("secret")));
}

TEST(AdviceText, WhatTheVmSaysNowStandsForWhatWasFoundBefore) {
  AdviceReport report = example_advice();
  report.vm = VmIdentity{"demo", 1, "name:demo"};
  report.advice[1].reasons = {{"survey", Fit::unknown, "long ago"}, {"VM", Fit::unfit, "now"}};
  EXPECT_THAT(advice_text(report, true, {}), HasSubstr("dump: VM: now"));
  EXPECT_THAT(advice_text(report, true, {}), Not(HasSubstr("long ago")));
}

TEST(AdviceText, JsonHoldsAll) {
  const auto json = base::parse_json(advice_json(example_advice(), JsonLayout::line));
  ASSERT_TRUE(json.is_object());
  EXPECT_EQ(json["survey"]["facts"]["host_kernel"], "6.18.44");
  EXPECT_EQ(json["needs"]["max_stop_ns"], 1e6);
  EXPECT_TRUE(json["needs"]["frequency_hz"].is_null());
  ASSERT_EQ(json["advice"].size(), 2u);
  const auto& first = json["advice"][0];
  EXPECT_EQ(first["fit"], "fits");
  EXPECT_EQ(first["stopped_ns"], 0);
  EXPECT_EQ(first["pace_hz"], 10);
  EXPECT_TRUE(first["cost_ns"].is_null());
  EXPECT_EQ(first["command"], "vitrine ps demo --technique process-vm --atomic");
  EXPECT_EQ(first["evidence"][0]["technique"], "process-vm");
  EXPECT_EQ(json["advice"][1]["reasons"][0]["need"], "max-stop");
  EXPECT_EQ(json["advice"][1]["reasons"][2]["fit"], "unknown");
  EXPECT_FALSE(json.contains("vm"));
}

TEST(AdviceText, NamesTheNeedThatExcludesMost) {
  AdviceReport report = example_advice();
  report.advice[0].reasons = {{"max-stop", Fit::unfit, ""}};
  EXPECT_THAT(nothing_fits(report).message, HasSubstr("2 of 2 fail at --max-stop"));
}

}  // namespace
}  // namespace vitrine::cli
