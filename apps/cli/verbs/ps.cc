#include "apps/cli/process_list.h"
#include "apps/cli/second_opinion_view.h"
#include "apps/cli/verbs/view_command.h"
#include "vitrine/views/processes.h"

namespace vitrine::cli {
namespace {

struct PsArguments {
  ViewOptions view;
  bool threads = false;
  bool tree = false;
  bool second_opinion = false;
};

base::Result<std::unique_ptr<views::View>> attach(const PsArguments& arguments,
                                                  session::Session& session) {
  const views::ProcessOptions options{.threads = arguments.threads, .command_lines = true};
  auto view = views::Processes::attach(session.kernel(), session.memory(), options);
  if (!view || !arguments.second_opinion) return view;
  return SecondOpinionView::attach(std::move(*view), session, arguments.threads);
}

Exit run_ps(const PsArguments& arguments) {
  ViewCommand command;
  command.attach = [&arguments](session::Session& session) { return attach(arguments, session); };
  command.table_columns = default_process_columns(arguments.threads);
  if (arguments.second_opinion) {
    command.table_columns = "seen_by," + command.table_columns;
    command.observe = [](session::Session& session, views::View& view) {
      return static_cast<SecondOpinionView&>(view).observe(session);
    };
  }
  command.adorn = [&arguments](std::span<const views::Column> columns,
                               std::vector<views::Row>& rows) {
    mark_names(columns, rows);
    if (arguments.tree) arrange_as_tree(columns, rows);
  };
  return run_view(arguments.view, command);
}

}  // namespace

Verb add_ps(CommandLine& line) {
  Command command = line.verb("ps", "List the guest's processes");
  auto arguments = std::make_shared<PsArguments>();
  arguments->view.add_to(command);
  command.flag("--threads", arguments->threads, "One row per thread instead of per process");
  command.flag("--tree", arguments->tree, "Show children below their parents").excludes("--sort");
  command.flag("--second-opinion", arguments->second_opinion,
               "Ask the guest for its own list, too, through its guest agent, and mark in "
               "seen_by what only one side shows: a rootkit looks like this");
  command.footer(
      "In tables, kernel threads stand in [brackets], zombies are marked <defunct>, and tasks on "
      "their way out <exiting>; JSON has fields for these.");
  return {command, [arguments] { return run_ps(*arguments); }};
}

}  // namespace vitrine::cli
