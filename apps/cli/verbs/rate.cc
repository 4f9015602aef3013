#include "vitrine/survey/rate.h"

#include <fmt/format.h>
#include <unistd.h>

#include "apps/cli/format.h"
#include "apps/cli/json.h"
#include "apps/cli/table.h"
#include "apps/cli/verbs/verb.h"
#include "vitrine/views/registry.h"

namespace vitrine::cli {
namespace {

struct RateArguments {
  Target target;
  std::string view = "ps";
  double seconds = 5;
  bool floor = false;
};

RateReport report_of(const session::Session& session, const RateArguments& arguments,
                     std::string_view view, const survey::Rate& rate) {
  RateReport report;
  report.vm = identity(session, arguments.target.vm);
  report.kernel = identity(session.kernel());
  report.view = view;
  report.technique = session.technique().id;
  report.seconds = arguments.seconds;
  report.per_second = rate.per_second;
  report.latency_ns = {rate.latency_ns.p50, rate.latency_ns.p90, rate.latency_ns.p99,
                       rate.latency_ns.max};
  report.views = rate.views;
  report.reached = rate.reached;
  report.rows = rate.rows;
  report.collects = rate.collects;
  report.reads = rate.reads;
  report.bytes = rate.bytes;
  report.stopped_ns = rate.stopped_ns;
  report.drained_ns = rate.drained_ns;
  report.cpu_ns = rate.cpu_ns;
  report.vmm_cpu_ns = rate.vmm_cpu_ns;
  report.written_bytes = rate.written_bytes;
  report.warnings = session.warnings();
  if (rate.incomplete > 0)
    report.warnings.push_back(std::to_string(rate.incomplete) +
                              " of the views could not read everything");
  if (rate.reached < rate.views)
    report.warnings.push_back(std::to_string(rate.views - rate.reached) +
                              " of the views did not reach what was demanded");
  return report;
}

std::string text_of(const RateReport& report) {
  const auto microseconds = [](std::uint64_t ns) { return static_cast<double>(ns) / 1000; };
  return fmt::format(
      "{} of {} through {}: {} views a second ({} views, {} rows each)\n"
      "latency     p50 {:.1f} us, p90 {:.1f} us, p99 {:.1f} us, max {:.1f} us\n"
      "each view   {:.2f} collections, {:.0f} reads, {:.0f} bytes, guest stopped {:.1f} us{}, {} "
      "written to disks\n"
      "processor   this tool {:.1f} us{}\n",
      report.view, report.vm.name.value_or(report.vm.source), report.technique,
      report.per_second < 100 ? fmt::format("{:.3g}", report.per_second)
                              : fmt::format("{:.0f}", report.per_second),
      report.views, report.rows, microseconds(report.latency_ns.p50),
      microseconds(report.latency_ns.p90), microseconds(report.latency_ns.p99),
      microseconds(report.latency_ns.max), report.collects, report.reads, report.bytes,
      report.stopped_ns / 1000,
      report.drained_ns > 0
          ? fmt::format(" ({:.1f} us to drain its disks)", report.drained_ns / 1000)
          : "",
      report.written_bytes ? size_text(static_cast<std::uint64_t>(*report.written_bytes))
                           : "unknown",
      report.cpu_ns / 1000,
      report.vmm_cpu_ns ? fmt::format(", the VMM {:.1f} us a view (the guest's own work included)",
                                      *report.vmm_cpu_ns / 1000)
                        : " a view");
}

Exit run_rate(const RateArguments& arguments) {
  const bool json = arguments.target.json;
  if (arguments.target.dry_run) return show_dry_run(arguments.target);
  auto declaration = views::find(arguments.view);
  if (!declaration) return report(declaration.error(), json);
  auto session = arguments.target.open();
  if (!session) return report(session.error(), json);
  auto view = (*declaration)->attach((*session)->kernel(), (*session)->memory());
  if (!view) return report(view.error(), json);
  const auto duration = std::chrono::duration_cast<std::chrono::nanoseconds>(
      std::chrono::duration<double>(arguments.seconds));
  auto rate = arguments.floor ? survey::measure_floor(**session, **view, duration)
                              : survey::measure_rate(**session, **view, {.duration = duration});
  if (!rate) return report(rate.error(), json);
  const RateReport result = report_of(**session, arguments, (*declaration)->name, *rate);
  const bool whole = rate->incomplete == 0 && rate->reached == rate->views;
  const Exit exit = !whole ? Exit::partial : Exit::complete;
  if (json) return print(rate_json(result, json_layout(inspect(STDOUT_FILENO), false)), exit);
  warn(result.warnings);
  return print(text_of(result), exit);
}

}  // namespace

Verb add_rate(CommandLine& line) {
  Command command = line.verb("rate", "Measure how often a view can be had, and what it costs");
  auto arguments = std::make_shared<RateArguments>();
  arguments->target.add_to(command);
  arguments->target.add_pause_to(command);
  arguments->target.add_demand_to(command);
  command.option("--view", arguments->view, "The view to measure, e.g. ps");
  command.option("--seconds", arguments->seconds, "How long to measure, after a warm-up")
      .between(0.1, 3600.0);
  command.flag("--floor", arguments->floor,
               "Measure the technique's bare reads of the same memory instead, nothing decoded");
  return {command, [arguments] { return run_rate(*arguments); }};
}

}  // namespace vitrine::cli
