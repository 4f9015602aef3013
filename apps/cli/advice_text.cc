#include "apps/cli/advice_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "apps/cli/escape.h"
#include "apps/cli/json_text.h"
#include "apps/cli/survey_json.h"
#include "apps/cli/table.h"
#include "apps/cli/technique_text.h"
#include "vitrine/survey/typical.h"

namespace vitrine::cli {
namespace {

using nlohmann::ordered_json;
using survey::Advice;
using survey::Fit;

// What a figure is where it was measured.
std::string known(std::optional<double> value, std::string (*text)(double)) {
  return value ? text(*value) : "unknown";
}

std::string way_of(const survey::Way& way) {
  return survey::way_text({.guest = {},
                           .workload = {},
                           .view = {},
                           .technique = way.technique,
                           .pause = way.pause,
                           .demand = way.demand});
}

std::string command_of(const AdviceReport& report, const Advice& advice) {
  return survey::command_line(advice.way, report.view_verb, report.vm_word, report.needs);
}

std::string pace_text(const Advice& advice) {
  if (!advice.pace_hz) return "";
  return *advice.pace_hz == 0 ? " flat out" : " at " + survey::frequency_text(*advice.pace_hz);
}

std::string fitting_table(const AdviceReport& report, const Terminal& terminal) {
  constexpr std::array<views::Column, 8> kColumns{{
      {"rank", views::Type::integer, {}},
      {"way", views::Type::text, {}},
      {"effect", views::Type::text, {}},
      {"stopped", views::Type::text, {}},
      {"cost", views::Type::text, {}},
      {"p50", views::Type::text, {}},
      {"p99", views::Type::text, {}},
      {"rate", views::Type::text, {}},
  }};
  std::vector<views::Row> rows;
  for (const Advice& advice : report.advice) {
    if (advice.fit != Fit::fits) continue;
    rows.push_back({{std::uint64_t{rows.size() + 1}, way_of(advice.way),
                     std::string(techniques::name(advice.effect)),
                     known(advice.stopped_ns, survey::duration_text),
                     known(advice.cost_ns, survey::duration_text),
                     known(advice.latency_p50_ns, survey::duration_text),
                     known(advice.latency_p99_ns, survey::duration_text),
                     known(advice.per_second, survey::frequency_text)},
                    {}});
  }
  return make_table(kColumns, rows, {terminal.width, terminal.colour, true}).text;
}

bool is_of_vm(const survey::Reason& reason) {
  return reason.fit != Fit::fits && (reason.need == "VM" || reason.need == "no-restart");
}

std::string left_out(const AdviceReport& report, std::size_t width) {
  std::string text;
  for (const Advice& advice : report.advice) {
    if (advice.fit == Fit::fits) continue;
    // What the VM says now is nearer than what was found when it was to be measured.
    const bool now = report.vm && std::ranges::any_of(advice.reasons, is_of_vm);
    std::string why;
    for (const survey::Reason& reason : advice.reasons)
      if (reason.fit != Fit::fits && !(now && reason.need == "survey"))
        why += fmt::format("{}{}: {}", why.empty() ? "" : "; ", reason.need, reason.text);
    text += wrapped(for_terminal(fmt::format("{}: {}", way_of(advice.way), why)), width, 2) + '\n';
  }
  return text;
}

ordered_json advice_object(const AdviceReport& report, const Advice& advice) {
  ordered_json reasons = ordered_json::array();
  for (const survey::Reason& reason : advice.reasons)
    reasons.push_back({{"need", reason.need},
                       {"fit", std::string(name(reason.fit))},
                       {"text", for_json(reason.text)}});
  ordered_json evidence = ordered_json::array();
  for (const survey::Cell& cell : advice.evidence) evidence.push_back(cell_json(cell));
  return {{"technique", for_json(advice.way.technique)},
          {"pause", for_json(advice.way.pause)},
          {"demand", for_json(advice.way.demand)},
          {"effect", std::string(techniques::name(advice.effect))},
          {"fit", std::string(name(advice.fit))},
          {"per_second", number_json(advice.per_second)},
          {"pace_hz", number_json(advice.pace_hz)},
          {"stopped_ns", number_json(advice.stopped_ns)},
          {"latency_p50_ns", number_json(advice.latency_p50_ns)},
          {"latency_p99_ns", number_json(advice.latency_p99_ns)},
          {"cpu_ns", number_json(advice.cpu_ns)},
          {"cost_ns", number_json(advice.cost_ns)},
          {"command", for_json(command_of(report, advice))},
          {"reasons", std::move(reasons)},
          {"evidence", std::move(evidence)}};
}

ordered_json needs_json(const survey::Needs& needs) {
  return {{"frequency_hz", number_json(needs.frequency_hz)},
          {"max_stop_ns", number_json(needs.max_stop_ns)},
          {"max_stopped_share", number_json(needs.max_stopped_share)},
          {"max_latency_ns", number_json(needs.max_latency_ns)},
          {"max_cpu_share", number_json(needs.max_cpu_share)},
          {"atomic", needs.atomic},
          {"quiescent", needs.quiescent},
          {"passive", needs.passive},
          {"no_guest_changes", needs.no_guest_changes},
          {"no_restart", needs.no_restart},
          {"no_manager", needs.no_manager}};
}

auto fitting(const AdviceReport& report) {
  return std::ranges::count(report.advice, Fit::fits, &Advice::fit);
}

}  // namespace

std::string advice_text(const AdviceReport& report, bool all, const Terminal& terminal) {
  const std::size_t width = terminal.width == 0 ? 100 : terminal.width;
  const auto fits = fitting(report);
  const auto others = static_cast<std::ptrdiff_t>(report.advice.size()) - fits;
  std::string text =
      wrapped(for_terminal(
                  fmt::format("By the survey {} ({}): {}{}, the worst on {} at {}.", report.source,
                              report.origin, report.scope.view, pace_text(report.advice.front()),
                              report.scope.guest.empty() ? "any guest" : report.scope.guest,
                              report.scope.workload.empty() ? "any work" : report.scope.workload)),
              width, 0) +
      "\n\n";
  if (fits > 0)
    text += fmt::format("{}\nRun: {}\n", fitting_table(report, terminal),
                        for_terminal(command_of(report, report.advice.front())));
  if (others > 0 && !all)
    text += fmt::format("Left out: {} of {} ways; --all says why.\n", others, report.advice.size());
  if (others > 0 && all) text += "\nLeft out:\n" + left_out(report, width);
  return text;
}

std::string advice_json(const AdviceReport& report, JsonLayout layout) {
  ordered_json facts = ordered_json::object();
  for (const auto& [fact, value] : report.facts) facts[for_json(fact)] = for_json(value);
  ordered_json object = {{"schema", 1}};
  if (report.vm) object["vm"] = vm_json(*report.vm);
  object["survey"] = {{"source", for_json(report.source)}, {"facts", std::move(facts)}};
  object["needs"] = needs_json(report.needs);
  object["scope"] = {{"view", for_json(report.scope.view)},
                     {"guest", for_json(report.scope.guest)},
                     {"workload", for_json(report.scope.workload)}};
  object["advice"] = ordered_json::array();
  for (const Advice& advice : report.advice)
    object["advice"].push_back(advice_object(report, advice));
  return json_text(object, layout);
}

base::Error nothing_fits(const AdviceReport& report) {
  const std::string need = survey::most_excluding(report.advice);
  const auto failing = std::ranges::count_if(report.advice, [&need](const Advice& advice) {
    return std::ranges::any_of(advice.reasons, [&need](const survey::Reason& reason) {
      return reason.need == need && reason.fit != Fit::fits;
    });
  });
  return {base::Code::absent,
          fmt::format("no way of looking is known to fit: {} of {} fail at {}", failing,
                      report.advice.size(),
                      need == "survey" ? "not having been measured"
                      : need == "VM"   ? "this VM as it is"
                                       : "--" + need),
          "--all says why for each"};
}

}  // namespace vitrine::cli
