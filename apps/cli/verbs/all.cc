#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "apps/cli/all_views.h"
#include "apps/cli/json.h"
#include "apps/cli/table.h"
#include "apps/cli/verbs/verb.h"

namespace vitrine::cli {
namespace {

std::vector<ViewReport> reports_of(const AllViews& all) {
  std::vector<ViewReport> reports;
  for (const AllViews::Part& part : all.parts()) {
    ViewReport report{part.declaration->name, part.declaration->columns};
    report.error = part.error;
    report.warnings = part.outcome.warnings;
    const std::size_t size = part.view ? part.view->size() : 0;
    report.rows.reserve(size);
    for (std::size_t i = 0; i < size; ++i) report.rows.push_back(part.view->row(i));
    reports.push_back(std::move(report));
  }
  return reports;
}

Exit show_json(const Target& target, const session::Session& session,
               const session::Observation& observation, std::span<const ViewReport> views,
               Exit exit) {
  std::vector<std::string> warnings = session.warnings();
  std::ranges::copy(observation.outcome.warnings, std::back_inserter(warnings));
  const ObservationReport report{
      identity(session, target.vm),        identity(session.kernel()), {},
      std::string(session.technique().id), provenance_of(observation), warnings};
  return print(views_json(report, views, json_layout(inspect(STDOUT_FILENO), false)), exit);
}

// A heading and a table for each view.
Exit show_tables(std::span<const ViewReport> views, Exit exit) {
  const Terminal terminal = inspect(STDOUT_FILENO);
  std::string text;
  for (const ViewReport& view : views) {
    const views::Declaration& declaration = **views::find(view.name);
    text += fmt::format("{}{} (vitrine {}): {}\n", text.empty() ? "" : "\n", view.name,
                        declaration.verb, declaration.summary);
    for (const std::string& warning : view.warnings)
      warn({std::string(view.name) + ": " + warning});
    if (view.error) {
      report(*view.error, false);
      text += "could not be had\n";
      continue;
    }
    const Table table = make_table(view.columns, view.rows, {terminal.width, terminal.colour});
    std::vector<std::string> notes;
    for (const std::string& note : table.notes)
      notes.push_back(std::string(view.name) + ": " + note);
    warn(notes);
    text += table.text;
  }
  return print(text, exit);
}

Exit run_all(const Target& target) {
  if (target.dry_run) return show_dry_run(target);
  auto session = target.open();
  if (!session) return report(session.error(), target.json);
  AllViews all(**session);
  const auto observation = (*session)->observe(all);
  if (!observation) return report(observation.error(), target.json);
  const std::vector<ViewReport> views = reports_of(all);
  Exit exit = observation->outcome.complete ? Exit::complete : Exit::partial;
  for (const ViewReport& view : views) exit = worse(exit, exit_of(view.rows));
  if (target.json) return show_json(target, **session, *observation, views, exit);
  warn((*session)->warnings());
  warn(observation->outcome.warnings);
  return show_tables(views, exit);
}

}  // namespace

Verb add_all(CommandLine& line) {
  Command command = line.verb("all", "Show all views of one observation");
  auto target = std::make_shared<Target>();
  target->add_to(command);
  target->add_pause_to(command);
  command.footer(
      "The guest is paused or copied once for all of them. With --json, the views are members of "
      "one object; one that could not be had is an error there, and the exit status is 3.");
  return {command, [target] { return run_all(*target); }};
}

}  // namespace vitrine::cli
