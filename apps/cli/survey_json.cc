#include "apps/cli/survey_json.h"

#include "apps/cli/escape.h"

namespace vitrine::cli {

nlohmann::ordered_json number_json(std::optional<double> value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json();
}

nlohmann::ordered_json cell_json(const survey::Cell& cell) {
  return {{"guest", for_json(cell.guest)},    {"workload", for_json(cell.workload)},
          {"view", for_json(cell.view)},      {"technique", for_json(cell.technique)},
          {"pause", for_json(cell.pause)},    {"demand", for_json(cell.demand)},
          {"frequency_hz", cell.frequency_hz}};
}

}  // namespace vitrine::cli
