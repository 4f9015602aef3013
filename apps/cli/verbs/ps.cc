#include "apps/cli/process_list.h"
#include "apps/cli/verbs/view_command.h"
#include "vitrine/views/processes.h"

namespace vitrine::cli {
namespace {

struct Arguments {
  ViewOptions view;
  bool threads = false;
  bool tree = false;
};

Exit run(const Arguments& arguments) {
  ViewCommand command;
  command.attach = [&arguments](session::Session& session) {
    return views::Processes::attach(session.kernel(), session.memory(),
                                    {.threads = arguments.threads, .command_lines = true});
  };
  command.table_columns = default_process_columns(arguments.threads);
  command.adorn = [&arguments](std::span<const views::Column> columns,
                               std::vector<views::Row>& rows) {
    mark_names(columns, rows);
    if (arguments.tree) arrange_as_tree(columns, rows);
  };
  return run_view(arguments.view, command);
}

}  // namespace

Verb add_ps(CLI::App& app) {
  CLI::App* command = app.add_subcommand("ps", "List the guest's processes");
  auto arguments = std::make_shared<Arguments>();
  arguments->view.add_to(*command);
  command->add_flag("--threads", arguments->threads, "One row per thread instead of per process");
  command->add_flag("--tree", arguments->tree, "Show children below their parents")
      ->excludes("--sort");
  command->footer(
      "In tables, kernel threads stand in [brackets], zombies are marked <defunct>, and tasks on "
      "their way out <exiting>; JSON has fields for these.");
  return {command, [arguments] { return run(*arguments); }};
}

}  // namespace vitrine::cli
