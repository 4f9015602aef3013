#include "vitrine/survey/study_json.h"

#include <fmt/format.h>

#include <cmath>
#include <set>

#include "vitrine/base/json.h"

namespace vitrine::survey {
namespace {

using OrderedJson = nlohmann::ordered_json;

OrderedJson exported(const Guest& guest) {
  return {{"name", guest.name},
          {"release", guest.release},
          {"memory_bytes", guest.memory_bytes},
          {"processors", guest.processors},
          {"tasks", guest.tasks}};
}

// What is no number (a mean of nothing, say) was not had.
OrderedJson exported(const Figures& figures) {
  OrderedJson object = OrderedJson::object();
  for (const auto& [name, value] : figures)
    if (std::isfinite(value)) object[name] = value;
  return object;
}

OrderedJson exported(const Run& run) {
  OrderedJson latencies = OrderedJson::array();
  for (const auto& [ns, count] : run.latencies)
    latencies.push_back(OrderedJson::array({ns, count}));
  return {{"started_unix_ns", run.started_unix_ns},
          {"state", state_name(run.state)},
          {"reason", run.reason},
          {"figures", exported(run.figures)},
          {"latencies", std::move(latencies)}};
}

OrderedJson exported(const Measured& measured) {
  const Cell& cell = measured.cell;
  OrderedJson runs = OrderedJson::array();
  for (const Run& run : measured.runs) runs.push_back(exported(run));
  return {{"guest", cell.guest},
          {"workload", cell.workload},
          {"view", cell.view},
          {"technique", cell.technique},
          {"pause", cell.pause},
          {"demand", cell.demand},
          {"frequency_hz", cell.frequency_hz},
          {"runs", std::move(runs)}};
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string field = "\"";
  for (const char c : text) {
    field += c;
    if (c == '"') field += c;
  }
  return field + '"';
}

std::set<std::string_view> names_of_figures(const Study& study) {
  std::set<std::string_view> names;
  for (const Measured& measured : study.cells)
    for (const Run& run : measured.runs)
      for (const auto& [name, value] : run.figures) names.insert(name);
  return names;
}

std::string csv_line(const Cell& cell, std::size_t number, const Run& run,
                     const std::set<std::string_view>& figures) {
  std::string line =
      fmt::format("{},{},{},{},{},{},{},{},{},{},{}", csv_field(cell.guest),
                  csv_field(cell.workload), csv_field(cell.view), csv_field(cell.technique),
                  csv_field(cell.pause), csv_field(cell.demand), cell.frequency_hz, number,
                  run.started_unix_ns, state_name(run.state), csv_field(run.reason));
  for (const std::string_view name : figures) {
    const auto figure = run.figures.find(name);
    line += ',';
    if (figure != run.figures.end() && std::isfinite(figure->second))
      line += fmt::to_string(figure->second);
  }
  return line + '\n';
}

}  // namespace

std::string_view state_name(State state) {
  switch (state) {
    case State::measured:
      return "measured";
    case State::refused:
      return "refused";
    case State::failed:
      return "failed";
  }
  return "";
}

std::string study_json(const Study& study) {
  OrderedJson guests = OrderedJson::array();
  for (const Guest& guest : study.guests) guests.push_back(exported(guest));
  OrderedJson cells = OrderedJson::array();
  for (const Measured& measured : study.cells) cells.push_back(exported(measured));
  const OrderedJson document = {{"schema", 1},
                                {"facts", study.facts},
                                {"guests", std::move(guests)},
                                {"cells", std::move(cells)}};
  return document.dump(-1, ' ', /*ensure_ascii=*/true, OrderedJson::error_handler_t::replace);
}

std::string study_csv(const Study& study) {
  const std::set<std::string_view> figures = names_of_figures(study);
  std::string csv =
      "guest,workload,view,technique,pause,demand,frequency_hz,run,started_unix_ns,state,reason";
  for (const std::string_view name : figures) csv += fmt::format(",{}", csv_field(name));
  csv += '\n';
  for (const Measured& measured : study.cells)
    for (std::size_t i = 0; i < measured.runs.size(); ++i)
      csv += csv_line(measured.cell, i + 1, measured.runs[i], figures);
  return csv;
}

}  // namespace vitrine::survey
