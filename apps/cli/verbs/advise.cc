#include <unistd.h>

#include "apps/cli/advice_text.h"
#include "apps/cli/literal.h"
#include "apps/cli/verbs/verb.h"
#include "vitrine/session/dry_run.h"
#include "vitrine/survey/study_source.h"
#include "vitrine/views/registry.h"

namespace vitrine::cli {
namespace {

using survey::Fit;
using survey::Needs;
using survey::Reason;

constexpr double kNotAsked = -1;

struct AdviseArguments {
  std::string vm;
  std::string survey;
  std::string view = "ps";
  std::string guest;
  std::string workload;
  std::string max_stop;
  std::string max_latency;
  double frequency = kNotAsked;
  double max_stopped_percent = kNotAsked;
  double max_cpu_percent = kNotAsked;
  Needs needs;  // those that are flags
  bool json = false;
  bool all = false;
};

base::Result<std::optional<double>> duration_of(const char* option, const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto value = parse_literal(text, views::Type::nanoseconds);
  const auto* ns = value ? std::get_if<std::uint64_t>(&*value) : nullptr;
  if (ns == nullptr)
    return base::fail(base::Code::invalid,
                      std::string(option) + " takes " +
                          std::string(expected_literal(views::Type::nanoseconds)) + ", not " +
                          text);
  return static_cast<double>(*ns);
}

base::Result<Needs> needs_of(const AdviseArguments& arguments) {
  Needs needs = arguments.needs;
  auto stop = duration_of("--max-stop", arguments.max_stop);
  if (!stop) return base::fail(stop.error());
  auto latency = duration_of("--max-latency", arguments.max_latency);
  if (!latency) return base::fail(latency.error());
  needs.max_stop_ns = *stop;
  needs.max_latency_ns = *latency;
  if (arguments.frequency != kNotAsked) needs.frequency_hz = arguments.frequency;
  if (arguments.max_stopped_percent != kNotAsked)
    needs.max_stopped_share = arguments.max_stopped_percent / 100;
  if (arguments.max_cpu_percent != kNotAsked) needs.max_cpu_share = arguments.max_cpu_percent / 100;
  return needs;
}

// Asks after each way whether this VM allows it now.
survey::OnVm on_vm(const AdviseArguments& arguments) {
  return [&arguments](const survey::Way& way) {
    Target target;
    target.vm = arguments.vm;
    target.technique = way.technique;
    target.pause = way.pause;
    target.allow_persistent_change = true;
    const std::string need = arguments.needs.no_restart ? "no-restart" : "VM";
    const auto plan = session::dry_run(arguments.vm, target.options());
    if (!plan) return std::vector<Reason>{{need, Fit::unfit, base::to_string(plan.error())}};
    if (plan->refused)
      return std::vector<Reason>{{need, Fit::unfit, base::to_string(*plan->refused)}};
    std::vector<Reason> reasons{{need, Fit::fits, "can be used on this VM now"}};
    for (const std::string& doubt : plan->doubts)
      if (arguments.needs.atomic && way.demand == "none")
        reasons.push_back({"atomic", Fit::unfit, "others may write to this VM's memory: " + doubt});
    return reasons;
  };
}

base::Result<AdviceReport> report_of(const AdviseArguments& arguments) {
  const auto view = views::find(arguments.view);
  if (!view) return base::fail(view.error());
  const auto needs = needs_of(arguments);
  if (!needs) return base::fail(needs.error());
  const auto study = survey::study_or_shipped(arguments.survey);
  if (!study) return base::fail(study.error());
  AdviceReport result;
  result.source = arguments.survey.empty() ? "shipped" : arguments.survey;
  result.origin = survey::origin_text(*study);
  result.facts = study->facts;
  result.vm_word = "VM";
  result.view_verb = (*view)->verb;
  result.needs = *needs;
  result.scope = {std::string((*view)->name), arguments.guest, arguments.workload};
  if (!arguments.vm.empty()) {
    const auto machine = find_machine(arguments.vm, "advice");
    if (!machine) return base::fail(machine.error());
    result.vm = identity(*machine, arguments.vm);
    result.vm_word = arguments.vm;
  }
  result.advice = survey::advise(*study, result.needs, result.scope,
                                 result.vm ? on_vm(arguments) : survey::OnVm());
  if (result.advice.empty())
    return base::fail(base::Code::absent,
                      "the survey " + result.source + " has nothing of " + arguments.view +
                          (arguments.guest.empty() ? "" : " of the guest " + arguments.guest) +
                          (arguments.workload.empty() ? "" : " at the work " + arguments.workload),
                      "choose what it has, or another one with --survey");
  return result;
}

Exit run_advise(const AdviseArguments& arguments) {
  const auto result = report_of(arguments);
  if (!result) return report(result.error(), arguments.json);
  const Terminal terminal = inspect(STDOUT_FILENO);
  const Exit printed = print(arguments.json ? advice_json(*result, json_layout(terminal, false))
                                            : advice_text(*result, arguments.all, terminal));
  const bool fits = result->advice.front().fit == Fit::fits;
  return fits ? printed : report(nothing_fits(*result), arguments.json);
}

}  // namespace

Verb add_advise(CommandLine& line) {
  Command command = line.verb("advise", "Say which way of looking fits what is needed, and why");
  auto arguments = std::make_shared<AdviseArguments>();
  Needs& needs = arguments->needs;
  command.option("VM", arguments->vm, "Leave out what cannot be used on this VM now");
  command.option("--frequency", arguments->frequency, "Observations a second that are needed")
      .between(0.0001, 1e9)
      .of("HZ");
  command
      .option("--max-stop", arguments->max_stop,
              "An observation stops the guest no longer, in the mean, e.g. 1ms")
      .of("TIME");
  command
      .option("--max-latency", arguments->max_latency,
              "99 of 100 observations take no longer, e.g. 10ms")
      .of("TIME");
  command
      .option("--max-stopped", arguments->max_stopped_percent,
              "The guest is stopped for no larger part of the time")
      .between(0.0, 100.0)
      .of("PERCENT");
  command
      .option("--max-cpu", arguments->max_cpu_percent, "This tool takes no more of one processor")
      .between(0.0, 10000.0)
      .of("PERCENT");
  command.flag("--atomic", needs.atomic, "What is seen is of one instant");
  command.flag("--quiescent", needs.quiescent,
               "And no change of the guest's kernel is half done in it");
  command.flag("--passive", needs.passive, "The VM cannot notice");
  command.flag("--no-guest-changes", needs.no_guest_changes, "Nothing has to run in the guest");
  command.flag("--no-restart", needs.no_restart, "The VM can stay as it was started");
  command.flag("--no-manager", needs.no_manager, "The VM's monitor is left alone");
  command.option("--view", arguments->view, "The view that is wanted, e.g. ps");
  command.option("--guest", arguments->guest, "Take figures of this guest of the survey only");
  command.option("--workload", arguments->workload, "Take figures of this work only");
  command
      .option("--survey", arguments->survey,
              "A survey's folder, .sqlite or .json, in place of the one that is built in")
      .of("FILE");
  command.flag("--json", arguments->json, "Print JSON");
  command.flag("--all", arguments->all, "Say for each other way why it was left out");
  command.footer(
      "What fits is ranked by its effect on the VM (passive, intrusive, persistent), then by how "
      "long it stops the guest, then by the processor time it costs the host, then by latency. "
      "Figures are the survey's, the worst on any guest and at any work; docs/advice.md says "
      "more.");
  return {command, [arguments] { return run_advise(*arguments); }};
}

}  // namespace vitrine::cli
