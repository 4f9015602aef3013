#include "apps/cli/comparison_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "apps/cli/escape.h"
#include "apps/cli/json_text.h"
#include "apps/cli/survey_json.h"
#include "apps/cli/table.h"
#include "vitrine/survey/typical.h"

namespace vitrine::cli {
namespace {

using nlohmann::ordered_json;
using survey::Change;
using survey::Comparison;
using survey::Difference;

std::string_view name_of(Difference difference) {
  switch (difference) {
    case Difference::none:
      return "none";
    case Difference::more:
      return "more";
    case Difference::less:
      return "less";
    case Difference::unknown:
      return "unknown";
  }
  return "";
}

std::string value_text(std::string_view figure, double value) {
  if (figure == "per_second") return survey::frequency_text(value);
  if (figure.ends_with("_ns")) return survey::duration_text(value);
  if (figure.ends_with("_share")) return survey::share_text(value);
  return fmt::format("{:.4g}", value);
}

std::string ratio_text(const Change& change) {
  if (!change.ratio) return "-";
  if (!change.low || !change.high) return fmt::format("{:.3g}", *change.ratio);
  return fmt::format("{:.3g} ({:.3g}-{:.3g})", *change.ratio, *change.low, *change.high);
}

bool differs(const Change& change) {
  return change.difference == Difference::more || change.difference == Difference::less;
}

std::string table_of(const Comparison& comparison, bool everything, const Terminal& terminal) {
  constexpr std::array<views::Column, 6> kColumns{{
      {"cell", views::Type::text, {}},
      {"figure", views::Type::text, {}},
      {"before", views::Type::text, {}},
      {"after", views::Type::text, {}},
      {"ratio", views::Type::text, {}},
      {"verdict", views::Type::text, {}},
  }};
  std::vector<views::Row> rows;
  for (const Change& change : comparison.changes)
    if (everything || differs(change))
      rows.push_back(
          {{survey::cell_text(change.cell), change.figure, value_text(change.figure, change.before),
            value_text(change.figure, change.after), ratio_text(change), difference_text(change)},
           {}});
  return rows.empty()
             ? std::string()
             : make_table(kColumns, rows, {terminal.width, terminal.colour, true}).text + "\n";
}

ordered_json cells_json(const std::vector<survey::Cell>& cells) {
  ordered_json list = ordered_json::array();
  for (const survey::Cell& cell : cells) list.push_back(cell_json(cell));
  return list;
}

}  // namespace

std::string difference_text(const Change& change) {
  if (change.difference == Difference::unknown) return "too few runs";
  if (change.difference == Difference::none) return "no difference beyond noise";
  const bool more = change.difference == Difference::more;
  if (change.figure == "per_second" || change.figure.starts_with("latency_"))
    return more == survey::more_is_better(change.figure) ? "faster" : "slower";
  return more ? "more" : "less";
}

std::string comparison_text(const Comparison& comparison, bool everything,
                            const Terminal& terminal) {
  const auto count = [&comparison](Difference difference) {
    return std::ranges::count(comparison.changes, difference, &Change::difference);
  };
  return table_of(comparison, everything, terminal) +
         fmt::format(
             "Of {} figures compared, {} differ beyond noise, {} do not, {} have too few runs to "
             "tell.\n",
             comparison.changes.size(), count(Difference::more) + count(Difference::less),
             count(Difference::none), count(Difference::unknown));
}

std::string comparison_json(const Comparison& comparison, JsonLayout layout) {
  ordered_json object = {{"schema", 1}};
  object["changes"] = ordered_json::array();
  for (const Change& change : comparison.changes)
    object["changes"].push_back({{"cell", cell_json(change.cell)},
                                 {"figure", for_json(change.figure)},
                                 {"before", change.before},
                                 {"after", change.after},
                                 {"ratio", number_json(change.ratio)},
                                 {"low", number_json(change.low)},
                                 {"high", number_json(change.high)},
                                 {"chance", number_json(change.chance)},
                                 {"difference", std::string(name_of(change.difference))},
                                 {"verdict", difference_text(change)}});
  object["only_before"] = cells_json(comparison.only_before);
  object["only_after"] = cells_json(comparison.only_after);
  object["facts"] = ordered_json::array();
  for (const survey::FactChange& fact : comparison.facts)
    object["facts"].push_back({{"fact", for_json(fact.fact)},
                               {"before", for_json(fact.before)},
                               {"after", for_json(fact.after)}});
  return json_text(object, layout);
}

std::vector<std::string> comparison_warnings(const Comparison& comparison) {
  std::vector<std::string> warnings;
  const auto or_unknown = [](const std::string& value) {
    return value.empty() ? std::string("unknown") : value;
  };
  for (const survey::FactChange& fact : comparison.facts)
    warnings.push_back(fmt::format("{} differs: {} before, {} after", fact.fact,
                                   or_unknown(fact.before), or_unknown(fact.after)));
  for (const survey::Cell& cell : comparison.only_before)
    warnings.push_back("only the first survey measured " + survey::cell_text(cell));
  for (const survey::Cell& cell : comparison.only_after)
    warnings.push_back("only the second survey measured " + survey::cell_text(cell));
  return warnings;
}

}  // namespace vitrine::cli
