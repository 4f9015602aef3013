#include "vitrine/survey/report_data.h"

#include <algorithm>
#include <cmath>

#include "vitrine/base/json.h"
#include "vitrine/survey/findings.h"
#include "vitrine/survey/statistics.h"
#include "vitrine/survey/study_json.h"
#include "vitrine/survey/wilson.h"
#include "vitrine/techniques/technique.h"

namespace vitrine::survey {
namespace {

using PageJson = nlohmann::ordered_json;

// The values of each figure over a cell's measured runs.
using FigureValues = std::map<std::string, std::vector<double>, std::less<>>;

PageJson spread(const std::vector<double>& values) {
  const auto [low, high] = std::ranges::minmax(values);
  return {{"median", *median(values)}, {"low", low}, {"high", high}};
}

PageJson figures_json(const std::vector<const Run*>& runs) {
  FigureValues values;
  for (const Run* run : runs)
    for (const auto& [name, value] : run->figures)
      if (std::isfinite(value)) values[name].push_back(value);
  PageJson figures = PageJson::object();
  for (const auto& [name, list] : values) figures[name] = spread(list);
  return figures;
}

// Finer steps than a chart can show would make the page ten times as large.
PageJson latencies_json(const std::vector<const Run*>& runs) {
  constexpr double kStepsPerDecade = 40;
  std::map<int, std::uint64_t> steps;
  for (const Run* run : runs)
    for (const auto& [ns, count] : run->latencies) {
      const double decades = std::log10(static_cast<double>(std::max<std::uint64_t>(ns, 1)));
      steps[static_cast<int>(std::ceil(decades * kStepsPerDecade))] += count;
    }
  PageJson latencies = PageJson::array();
  for (const auto& [step, count] : steps)
    latencies.push_back(PageJson::array({std::round(std::pow(10, step / kStepsPerDecade)), count}));
  return latencies;
}

PageJson share_json(std::uint64_t hits, std::uint64_t trials) {
  const Proportion proportion = wilson(hits, trials);
  return {{"share", proportion.share}, {"low", proportion.low}, {"high", proportion.high}};
}

// Of a figure that counts, over all runs that audited.
std::uint64_t sum_of(const std::vector<const Run*>& runs, std::string_view name) {
  double sum = 0;
  for (const Run* run : runs)
    if (const auto figure = run->figures.find(name); figure != run->figures.end())
      sum += std::isfinite(figure->second) ? std::max(figure->second, 0.0) : 0;
  return static_cast<std::uint64_t>(std::min(sum, 1e18));
}

PageJson audit_json(const std::vector<const Run*>& runs) {
  const std::uint64_t audited = sum_of(runs, "audited");
  if (audited == 0) return nullptr;
  return {{"audited", audited},
          {"intrinsic", share_json(std::min(sum_of(runs, "intrinsic"), audited), audited)},
          {"extrinsic", share_json(std::min(sum_of(runs, "extrinsic"), audited), audited)}};
}

PageJson cell_json(const Measured& measured) {
  const Cell& cell = measured.cell;
  std::vector<const Run*> runs;
  const Run* unsuccessful = nullptr;
  for (const Run& run : measured.runs) {
    if (run.state == State::measured)
      runs.push_back(&run);
    else
      unsuccessful = &run;
  }
  const std::string_view state = !runs.empty()             ? state_name(State::measured)
                                 : unsuccessful != nullptr ? state_name(unsuccessful->state)
                                                           : "missing";
  return {{"guest", cell.guest},
          {"workload", cell.workload},
          {"view", cell.view},
          {"technique", cell.technique},
          {"pause", cell.pause},
          {"demand", cell.demand},
          {"frequency_hz", cell.frequency_hz},
          {"state", state},
          {"reason", unsuccessful == nullptr ? "" : unsuccessful->reason},
          {"runs", runs.size()},
          {"unsuccessful", measured.runs.size() - runs.size()},
          {"started_unix_ns", measured.runs.empty() ? 0 : measured.runs.front().started_unix_ns},
          {"figures", figures_json(runs)},
          {"latencies", latencies_json(runs)},
          {"audit", audit_json(runs)}};
}

PageJson techniques_json() {
  PageJson list = PageJson::array();
  for (const techniques::Technique* technique : techniques::all()) {
    const techniques::Description& about = technique->description();
    list.push_back({{"id", about.id},
                    {"class", about.technique_class},
                    {"effect", techniques::name(about.effect)},
                    {"cooperation", about.cooperation},
                    {"snapshot", about.snapshot},
                    {"liveness", about.liveness},
                    {"access", about.access},
                    {"demands", about.demands}});
  }
  return list;
}

PageJson findings_json(const Study& study) {
  PageJson list = PageJson::array();
  for (const Finding& finding : findings(study)) {
    PageJson evidence = PageJson::array();
    for (const Cell& cell : finding.evidence)
      for (std::size_t i = 0; i < study.cells.size(); ++i)
        if (study.cells[i].cell == cell) evidence.push_back(i);
    list.push_back({{"statement", finding.statement},
                    {"verdict", name(finding.verdict)},
                    {"explanation", finding.explanation},
                    {"evidence", std::move(evidence)}});
  }
  return list;
}

PageJson guest_json(const Guest& guest) {
  return {{"name", guest.name},
          {"release", guest.release},
          {"memory_bytes", guest.memory_bytes},
          {"processors", guest.processors},
          {"tasks", guest.tasks}};
}

}  // namespace

std::string report_data(const Study& study) {
  PageJson guests = PageJson::array();
  for (const Guest& guest : study.guests) guests.push_back(guest_json(guest));
  PageJson cells = PageJson::array();
  for (const Measured& measured : study.cells) cells.push_back(cell_json(measured));
  const PageJson data = {{"facts", study.facts},
                         {"guests", std::move(guests)},
                         {"techniques", techniques_json()},
                         {"findings", findings_json(study)},
                         {"cells", std::move(cells)}};
  const std::string json =
      data.dump(-1, ' ', /*ensure_ascii=*/true, PageJson::error_handler_t::replace);
  std::string text;
  text.reserve(json.size());
  for (const char c : json) {
    // Within JSON, '<' occurs in strings only, where it may be written so.
    if (c == '<')
      text += "\\u003c";
    else
      text += c;
  }
  return text;
}

}  // namespace vitrine::survey
