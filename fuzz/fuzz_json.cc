// A hostile guest's rows as JSON. The line is ASCII, one line, what another parser accepts, and
// gives the guest's very bytes back.
#include <algorithm>

#include "apps/cli/columns.h"
#include "apps/cli/error.h"
#include "apps/cli/escape.h"
#include "apps/cli/json.h"
#include "fuzz/fuzzer.h"
#include "fuzz/guest_rows.h"
#include "fuzz/require.h"
#include "vitrine/base/json.h"

namespace {

using namespace vitrine;
using fuzz::require;
using nlohmann::json;

json parse_line(const std::string& line) {
  require(line.ends_with('\n') && std::ranges::count(line, '\n') == 1);
  require(std::ranges::all_of(line, [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); }));
  json parsed = json::parse(line, nullptr, false);
  require(parsed.is_object() && parsed.at("schema") == 1);
  return parsed;
}

bool is_text(const json& value, const std::string& bytes) {
  return value.is_string() && cli::from_json(value.get<std::string>()) == bytes;
}

bool is_value(const json& found, const views::Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return is_text(found, *text);
  if (const auto* flag = std::get_if<bool>(&value)) return found == *flag;
  if (const auto* number = std::get_if<std::int64_t>(&value)) return found == *number;
  if (const auto* number = std::get_if<std::uint64_t>(&value)) return found == *number;
  return found.is_null();
}

}  // namespace

VITRINE_FUZZER(json) {
  FuzzedDataProvider input(data, size);
  cli::ObservationReport report;
  report.vm.name = input.ConsumeRandomLengthString(40);
  report.kernel.emplace().release = input.ConsumeRandomLengthString(40);
  report.observation.started += std::chrono::seconds(input.ConsumeIntegral<std::uint32_t>());
  report.warnings.push_back(input.ConsumeRandomLengthString(40));
  base::Error error;
  error.message = input.ConsumeRandomLengthString(40);
  error.remedy = input.ConsumeRandomLengthString(40);
  const auto rows = fuzz::any_rows(input, 8);

  const json parsed =
      parse_line(cli::observation_json(report, fuzz::kColumns, rows, cli::JsonLayout::line));
  require(is_text(parsed.at("vm").at("name"), *report.vm.name));
  require(is_text(parsed.at("kernel").at("release"), report.kernel->release));
  require(is_text(parsed.at("warnings").at(0), report.warnings.front()));
  require(parsed.at("rows").size() == rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const json& row = parsed.at("rows").at(i);
    require(row.contains("errors") == !rows[i].errors.empty());
    for (std::size_t c = 0; c < fuzz::kColumns.size(); ++c) {
      const auto name = fuzz::kColumns[c].name;
      const bool unreadable = cli::is_unreadable(rows[i], name);
      require(is_value(row.at(std::string(name)), unreadable ? views::Value() : rows[i].values[c]));
    }
  }
  const std::string pretty =
      cli::observation_json(report, fuzz::kColumns, rows, cli::JsonLayout::indented);
  require(json::parse(pretty, nullptr, false) == parsed);
  require(is_text(parse_line(cli::error_json(error)).at("error").at("message"), error.message));
  return 0;
}
