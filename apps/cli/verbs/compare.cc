#include <unistd.h>

#include "apps/cli/comparison_text.h"
#include "apps/cli/verbs/verb.h"
#include "vitrine/survey/study_source.h"

namespace vitrine::cli {
namespace {

struct CompareArguments {
  std::string before;
  std::string after;
  std::vector<std::string> figures;
  bool json = false;
  bool all = false;
};

// A misspelt figure would otherwise compare nothing, and that would look like no difference.
base::Result<void> check_figures(const survey::Study& study,
                                 const std::vector<std::string>& figures) {
  for (const std::string& figure : figures) {
    bool known = false;
    for (const survey::Measured& measured : study.cells)
      for (const survey::Run& run : measured.runs) known |= run.figures.contains(figure);
    if (!known)
      return base::fail(base::Code::invalid, "no run of the first survey has the figure " + figure,
                        "docs/survey.md lists the figures");
  }
  return {};
}

Exit run_compare(const CompareArguments& arguments) {
  const auto before = survey::read_study(arguments.before);
  if (!before) return report(before.error(), arguments.json);
  const auto after = survey::read_study(arguments.after);
  if (!after) return report(after.error(), arguments.json);
  if (auto known = check_figures(*before, arguments.figures); !known)
    return report(known.error(), arguments.json);
  std::vector<std::string> figures = arguments.figures;
  if (figures.empty())
    figures.assign(survey::usual_figures().begin(), survey::usual_figures().end());
  const survey::Comparison comparison = survey::compare(*before, *after, figures);
  const bool same = comparison.only_before.empty() && comparison.only_after.empty();
  const Exit exit = same ? Exit::complete : Exit::partial;
  const Terminal terminal = inspect(STDOUT_FILENO);
  if (arguments.json) return print(comparison_json(comparison, json_layout(terminal, false)), exit);
  warn(comparison_warnings(comparison));
  return print(comparison_text(comparison, arguments.all, terminal), exit);
}

}  // namespace

Verb add_compare(CommandLine& line) {
  Command command = line.verb("compare", "Say whether two surveys differ by more than noise");
  auto arguments = std::make_shared<CompareArguments>();
  command.option("BEFORE", arguments->before, "A survey: its folder, .sqlite or .json").required();
  command.option("AFTER", arguments->after, "The survey that is compared with it").required();
  command.option("--figure", arguments->figures, "Figures to compare, e.g. per_second,cpu_ns")
      .separated_by(',');
  command.flag("--json", arguments->json, "Print JSON");
  command.flag("--all", arguments->all, "Show what does not differ, too");
  command.footer(
      "A ratio is that of the medians, AFTER by BEFORE, with a 95% confidence interval (Welch's t "
      "test of logarithms). What is told to differ is corrected for how much is compared (Holm): "
      "the chance that any of it is noise is at most 5%. Exit status 3: one of the surveys "
      "measured what the other did not.");
  return {command, [arguments] { return run_compare(*arguments); }};
}

}  // namespace vitrine::cli
