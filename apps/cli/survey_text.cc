#include "apps/cli/survey_text.h"

#include <fmt/format.h>

#include <array>
#include <map>
#include <numeric>
#include <optional>
#include <vector>

#include "apps/cli/escape.h"
#include "apps/cli/format.h"
#include "apps/cli/table.h"
#include "vitrine/survey/typical.h"

namespace vitrine::cli {
namespace {

using survey::Measured;
using survey::State;

constexpr std::array<views::Column, 9> kSurveyColumns{{
    {"view", views::Type::text},
    {"technique", views::Type::text},
    {"how", views::Type::text},
    {"per_second", views::Type::text},
    {"p50", views::Type::text},
    {"p99", views::Type::text},
    {"stopped", views::Type::text},
    {"cpu", views::Type::text},
    {"one_instant", views::Type::text},
}};

// In which way beside the technique: "freeze", "atomic", "10 Hz", or "-".
std::string how(const survey::Cell& cell) {
  std::string text;
  const auto add = [&text](const std::string& more) { text += (text.empty() ? "" : ", ") + more; };
  if (cell.pause != "none") add(cell.pause);
  if (cell.demand != "none") add(cell.demand);
  if (cell.frequency_hz > 0) add(fmt::format("{:g} Hz", cell.frequency_hz));
  return text.empty() ? "-" : text;
}

std::string time_text(std::optional<double> ns) {
  if (!ns) return "?";
  return *ns == 0 ? "0" : survey::duration_text(*ns);
}

std::string share_text(std::optional<double> share) {
  return share ? fmt::format("{:.3g}%", *share * 100) : "?";
}

// Of the views of all runs, how many were of one instant; nobody knows of what was not asked for.
std::string instant_text(const Measured& measured) {
  const auto sum = [&measured](const char* figure) {
    const std::vector<double> all = survey::values(measured, figure);
    return std::accumulate(all.begin(), all.end(), 0.0);
  };
  const double views = sum("views");
  const double of_one = sum("one_instant");
  if (of_one == 0) return measured.cell.demand == "none" ? "unknown" : "no";
  return of_one == views ? "yes" : share_text(of_one / views);
}

views::Row row_of(const Measured& measured) {
  const auto figure = [&](const char* name) { return survey::typical(measured, name); };
  const auto rate = figure("per_second");
  std::string rate_text = "?";
  if (rate) rate_text = *rate < 100 ? fmt::format("{:.3g}", *rate) : fmt::format("{:.0f}", *rate);
  return {
      {measured.cell.view, measured.cell.technique, how(measured.cell), rate_text,
       time_text(figure("latency_p50_ns")), time_text(figure("latency_p99_ns")),
       time_text(figure("stopped_ns")), share_text(figure("cpu_share")), instant_text(measured)},
      {}};
}

// Why a cell has no figures; empty where it has some.
std::string why_not(const Measured& measured) {
  if (measured.runs.empty()) return "not run yet";
  if (survey::was_measured(measured)) return {};
  return std::string(measured.runs.back().state == State::failed ? "failed: " : "") +
         measured.runs.back().reason;
}

}  // namespace

std::string survey_text(const survey::Study& study, const Terminal& terminal) {
  std::vector<views::Row> rows;
  // What holds for several views is said once.
  std::map<std::pair<std::string, std::string>, std::string> absent;
  for (const Measured& measured : study.cells) {
    const std::string why = why_not(measured);
    if (why.empty()) {
      rows.push_back(row_of(measured));
      continue;
    }
    std::string& ways = absent[{measured.cell.technique, why}];
    const std::string way = measured.cell.view + (how(measured.cell) == "-" ? "" : " ") +
                            (how(measured.cell) == "-" ? "" : how(measured.cell));
    ways += (ways.empty() ? "" : "; ") + way;
  }
  std::string text = make_table(kSurveyColumns, rows, {terminal.width, terminal.colour, true}).text;
  if (!absent.empty()) text += "\nNot measured:\n";
  for (const auto& [key, ways] : absent)
    text += fmt::format("  {} ({}): {}\n", for_terminal(key.first), for_terminal(ways),
                        for_terminal(key.second));
  return text;
}

std::string survey_progress(const survey::Progress& progress) {
  const survey::Cell& cell = *progress.next;
  const std::string way = how(cell);
  return fmt::format("round {}: {} through {}{}; about {} left", progress.round,
                     for_terminal(cell.view), for_terminal(cell.technique),
                     way == "-" ? "" : ", " + way, duration_text(progress.remaining));
}

std::string duration_text(std::chrono::nanoseconds duration) {
  using std::chrono::ceil;
  if (duration <= std::chrono::seconds(90))
    return fmt::format("{} s", ceil<std::chrono::seconds>(duration).count());
  if (duration <= std::chrono::minutes(90))
    return fmt::format("{} min", ceil<std::chrono::minutes>(duration).count());
  return fmt::format("{} h", ceil<std::chrono::hours>(duration).count());
}

}  // namespace vitrine::cli
