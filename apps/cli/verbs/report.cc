#include "vitrine/survey/report.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "apps/cli/findings_text.h"
#include "apps/cli/verbs/verb.h"
#include "vitrine/survey/study_source.h"

namespace vitrine::cli {
namespace {

struct ReportArguments {
  std::string survey;
  std::string page;
  bool json = false;
  bool markdown = false;
};

base::Result<void> write_page(const survey::Study& study, const std::filesystem::path& path) {
  const auto page = survey::report_page(study);
  if (!page) return base::fail(page.error());
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  if (!(file << *page).flush())
    return base::fail(base::Code::unreadable, path.string() + " can't be written",
                      "name a file in a folder that is there, and that you may write to");
  return {};
}

Exit run_report(const ReportArguments& arguments) {
  const auto study = survey::study_or_shipped(arguments.survey);
  if (!study) return report(study.error(), arguments.json);
  if (!arguments.page.empty())
    if (auto written = write_page(*study, arguments.page); !written)
      return report(written.error(), arguments.json);
  const Terminal terminal = inspect(STDOUT_FILENO);
  if (arguments.json) return print(findings_json(*study, json_layout(terminal, false)));
  if (arguments.markdown) return print(findings_markdown(*study));
  return print(findings_text(*study, terminal));
}

}  // namespace

Verb add_report(CommandLine& line) {
  Command command = line.verb("report", "Say what a survey found, and write its page");
  auto arguments = std::make_shared<ReportArguments>();
  command.option("SURVEY", arguments->survey,
                 "Its folder, .sqlite or .json; else the one that is built in");
  command.option("-o,--output", arguments->page, "Write the page with charts to this file, too")
      .of("FILE");
  command.flag("--json", arguments->json, "Print JSON");
  command.flag("--markdown", arguments->markdown, "Print Markdown, with the figures");
  command.footer(
      "What the paper says of the techniques is judged by the survey's own figures: confirmed, "
      "refined (it holds for some ways only, or by less), refuted, or unknown. No VM is looked "
      "at.");
  return {command, [arguments] { return run_report(*arguments); }};
}

}  // namespace vitrine::cli
