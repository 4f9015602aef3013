#include <fmt/format.h>
#include <unistd.h>

#include <array>

#include "apps/cli/escape.h"
#include "apps/cli/json_text.h"
#include "apps/cli/table.h"
#include "apps/cli/verbs/verb.h"
#include "vitrine/survey/inconsistency.h"
#include "vitrine/survey/wilson.h"

namespace vitrine::cli {
namespace {

using Json = nlohmann::ordered_json;
using consistency::Kind;
using survey::ModeResult;
using survey::Proportion;

struct ConsistencyArguments {
  Target target;
  double seconds = 60;
  double per_second = 100;
};

struct Counted {
  const survey::Mode* mode = nullptr;
  base::Result<ModeResult> result;
};

Json proportion_json(std::uint64_t hits, std::uint64_t trials) {
  const Proportion proportion = survey::wilson(hits, trials);
  return {{"observations", hits},
          {"share", proportion.share},
          {"low", proportion.low},
          {"high", proportion.high}};
}

Json mode_json(const Counted& counted) {
  Json object = {{"mode", std::string(counted.mode->name)}};
  if (!counted.result) {
    object["error"] = {{"code", std::string(base::name(counted.result.error().code))},
                       {"message", for_json(counted.result.error().message)}};
    return object;
  }
  const ModeResult& result = *counted.result;
  object["technique"] = result.technique;
  object["observations"] = result.observations;
  object["reached"] = result.reached;
  object["tasks"] = result.tasks;
  object["collects"] = result.collects;
  object["duration_ns"] = result.duration_ns;
  object["stopped_ns"] = result.stopped_ns;
  object["stopped_share"] = result.stopped_share;
  object["intrinsic"] = proportion_json(result.intrinsic, result.reached);
  object["extrinsic"] = proportion_json(result.extrinsic, result.reached);
  Json kinds = Json::array();
  for (std::size_t i = 0; i < consistency::kKinds; ++i) {
    const consistency::KindInfo& kind = consistency::info(static_cast<Kind>(i));
    Json entry = {{"kind", std::string(kind.name)}, {"intrinsic", kind.intrinsic}};
    entry.update(proportion_json(result.kinds.at(i).observations, result.reached));
    entry["occurrences"] = result.kinds.at(i).occurrences;
    kinds.push_back(std::move(entry));
  }
  object["kinds"] = std::move(kinds);
  return object;
}

std::string percent(std::uint64_t hits, std::uint64_t trials) {
  const Proportion proportion = survey::wilson(hits, trials);
  return fmt::format("{:.2f}% ({:.2f}-{:.2f})", proportion.share * 100, proportion.low * 100,
                     proportion.high * 100);
}

// One row per mode: what was met at all, and what the guest paid for it.
std::string summary(std::span<const Counted> all, const Terminal& terminal) {
  constexpr std::array<views::Column, 8> kColumns{{
      {"mode", views::Type::text, {}},
      {"technique", views::Type::text, {}},
      {"observations", views::Type::integer, {}},
      {"reached", views::Type::text, {}},
      {"intrinsic", views::Type::text, {}},
      {"extrinsic", views::Type::text, {}},
      {"took", views::Type::text, {}},
      {"stopped", views::Type::text, {}},
  }};
  std::vector<views::Row> rows;
  for (const auto& [mode, result] : all) {
    if (!result) continue;
    rows.push_back(
        {{std::string(mode->name), result->technique, result->observations,
          percent(result->reached, result->observations),
          percent(result->intrinsic, result->reached), percent(result->extrinsic, result->reached),
          fmt::format("{:.1f} us", result->duration_ns / 1000),
          fmt::format("{:.1f} us, {:.2f}%", result->stopped_ns / 1000,
                      result->stopped_share * 100)},
         {}});
  }
  return make_table(kColumns, rows, {terminal.width, terminal.colour, false}).text;
}

// One row per kind that was met in any mode, a column per mode.
std::string by_kind(std::span<const Counted> all, const Terminal& terminal) {
  std::vector<views::Column> columns{{"kind", views::Type::text, {}}};
  for (const auto& [mode, result] : all)
    if (result) columns.push_back({mode->name, views::Type::text, {}});
  std::vector<views::Row> rows;
  for (std::size_t i = 0; i < consistency::kKinds; ++i) {
    views::Row row{{std::string(consistency::info(static_cast<Kind>(i)).name)}, {}};
    bool met = false;
    for (const auto& [mode, result] : all) {
      if (!result) continue;
      const survey::KindCount& kind = result->kinds.at(i);
      met |= kind.observations > 0;
      row.values.emplace_back(percent(kind.observations, result->reached));
    }
    if (met) rows.push_back(std::move(row));
  }
  if (rows.empty()) return "Nothing that does not fit together was met in any mode.\n";
  return make_table(columns, rows, {terminal.width, terminal.colour, false}).text;
}

Exit run_consistency(const ConsistencyArguments& arguments) {
  const bool json = arguments.target.json;
  if (arguments.target.dry_run) return show_dry_run(arguments.target);
  const auto to_ns = [](double seconds) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
        std::chrono::duration<double>(seconds));
  };
  VmIdentity vm;
  std::optional<KernelIdentity> kernel;
  {
    auto session = arguments.target.open();
    if (!session) return report(session.error(), json);
    vm = identity(**session, arguments.target.vm);
    kernel = identity((*session)->kernel());
  }
  const double share = arguments.seconds / static_cast<double>(survey::modes().size());
  std::vector<Counted> all;
  bool any = false;
  for (const survey::Mode& mode : survey::modes()) {
    all.push_back(
        {&mode, survey::count_inconsistency(arguments.target.vm, arguments.target.options(), mode,
                                            to_ns(share), to_ns(1 / arguments.per_second))});
    const auto& result = all.back().result;
    any |= result.has_value();
    if (!result && !json)
      warn({std::string(mode.name) + " was left out: " + result.error().message});
  }
  if (!any) return report(all.front().result.error(), json);
  if (json) {
    Json object = {{"schema", 1},
                   {"vm", vm_json(vm)},
                   {"kernel", kernel_json(kernel)},
                   {"seconds", arguments.seconds},
                   {"per_second", arguments.per_second}};
    object["modes"] = Json::array();
    for (const Counted& counted : all) object["modes"].push_back(mode_json(counted));
    return print(json_text(object, json_layout(inspect(STDOUT_FILENO), false)));
  }
  const Terminal terminal = inspect(STDOUT_FILENO);
  return print(summary(all, terminal) + "\n" + by_kind(all, terminal));
}

}  // namespace

Verb add_consistency(CommandLine& line) {
  Command command = line.verb(
      "consistency",
      "Count what does not fit together in the guest's tasks, by kind and by the way of looking");
  auto arguments = std::make_shared<ConsistencyArguments>();
  arguments->target.add_to(command);
  command.option("--seconds", arguments->seconds, "How long to look, all modes together")
      .between(1.0, 86400.0);
  command.option("--per-second", arguments->per_second, "How often to look in each mode")
      .between(0.1, 10000.0);
  command.footer(
      "Shares are of the observations that show it, with 95% confidence intervals; docs/"
      "consistency.md defines kinds and modes. The guest is stopped again and again in some modes: "
      "what that costs it is shown, too.");
  return {command, [arguments] { return run_consistency(*arguments); }};
}

}  // namespace vitrine::cli
