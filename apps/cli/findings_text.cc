#include "apps/cli/findings_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "apps/cli/escape.h"
#include "apps/cli/format.h"
#include "apps/cli/json_text.h"
#include "apps/cli/survey_json.h"
#include "apps/cli/technique_text.h"
#include "vitrine/survey/findings.h"
#include "vitrine/survey/study_source.h"
#include "vitrine/survey/typical.h"

namespace vitrine::cli {
namespace {

using nlohmann::ordered_json;

// A guest's name in a table of Markdown ends neither the cell nor the line.
std::string in_table(const std::string& text) {
  std::string safe;
  for (const char c : for_terminal(text)) {
    if (c == '|' || c == '\\' || c == '`' || c == '<') safe += '\\';
    safe += c;
  }
  return safe;
}

const survey::Measured* measured(const survey::Study& study, const survey::Cell& cell) {
  const auto found = std::ranges::find(study.cells, cell, &survey::Measured::cell);
  return found == study.cells.end() ? nullptr : &*found;
}

std::string figure_row(const survey::Measured& cell) {
  const auto time = [&cell](const char* figure) {
    const auto value = survey::typical(cell, figure);
    return value ? survey::duration_text(*value) : std::string("-");
  };
  const auto rate = survey::typical(cell, "per_second");
  return fmt::format("| {} | {} | {} | {} | {} |\n", in_table(survey::cell_text(cell.cell)),
                     rate ? survey::frequency_text(*rate) : "-", time("latency_p50_ns"),
                     time("latency_p99_ns"), time("stopped_ns"));
}

std::string evidence_table(const survey::Study& study, const survey::Finding& finding) {
  if (finding.evidence.empty()) return {};
  std::string text =
      "\n| way of looking | sustained | median | 99% within | guest stopped "
      "|\n|---|---|---|---|---|\n";
  for (const survey::Cell& cell : finding.evidence)
    if (const auto* found = measured(study, cell)) text += figure_row(*found);
  return text;
}

}  // namespace

std::string findings_text(const survey::Study& study, const Terminal& terminal) {
  const std::size_t width = terminal.width == 0 ? 100 : terminal.width;
  std::string text;
  for (const survey::Finding& finding : survey::findings(study)) {
    text += wrapped(fmt::format("{}: {}", name(finding.verdict), for_terminal(finding.statement)),
                    width, 2) +
            "\n";
    text += "  " + wrapped(for_terminal(finding.explanation), width - 2, 2) + "\n\n";
  }
  return text +
         wrapped(for_terminal("By the survey of " + survey::origin_text(study) + "."), width, 0) +
         "\n";
}

std::string findings_markdown(const survey::Study& study) {
  std::string text = fmt::format(
      "# What the study found\n\nWritten by `vitrine report --markdown` from the survey that is "
      "built "
      "in ({}); a test checks that it is up to date.\nWhat the paper says is judged by figures: "
      "*confirmed*, *refined* (it holds for some ways only, or by less), *refuted*, or\n*unknown* "
      "where they do not suffice. `vitrine report DIR` judges a survey of yours.\n",
      in_table(survey::origin_text(study)));
  for (const survey::Finding& finding : survey::findings(study))
    text += fmt::format("\n## {}\n\n**{}**: {}\n{}", finding.statement, name(finding.verdict),
                        in_table(finding.explanation), evidence_table(study, finding));
  return text;
}

std::string findings_json(const survey::Study& study, JsonLayout layout) {
  ordered_json facts = ordered_json::object();
  for (const auto& [fact, value] : study.facts) facts[for_json(fact)] = for_json(value);
  ordered_json object = {{"schema", 1}, {"facts", std::move(facts)}};
  object["findings"] = ordered_json::array();
  for (const survey::Finding& finding : survey::findings(study)) {
    ordered_json evidence = ordered_json::array();
    for (const survey::Cell& cell : finding.evidence) evidence.push_back(cell_json(cell));
    object["findings"].push_back({{"statement", finding.statement},
                                  {"verdict", name(finding.verdict)},
                                  {"explanation", for_json(finding.explanation)},
                                  {"evidence", std::move(evidence)}});
  }
  return json_text(object, layout);
}

}  // namespace vitrine::cli
