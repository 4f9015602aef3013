#include <unistd.h>

#include "apps/cli/json.h"
#include "apps/cli/table.h"
#include "apps/cli/verbs/verb.h"
#include "apps/cli/view_text.h"

namespace vitrine::cli {
namespace {

struct ViewsArguments {
  bool json = false;
  bool markdown = false;
};

Exit run_views(const ViewsArguments& arguments) {
  if (arguments.markdown) return print(views_markdown(views::all()));
  const Terminal terminal = inspect(STDOUT_FILENO);
  const std::vector<views::Row> rows = rows_of(views::all());
  if (arguments.json)
    return print(
        list_json("views", std::nullopt, view_columns(), rows, json_layout(terminal, false)));
  return print(make_table(view_columns(), rows, {terminal.width, terminal.colour, false}).text);
}

}  // namespace

Verb add_views(CommandLine& line) {
  Command command = line.verb("views", "List the views and what their columns are");
  auto arguments = std::make_shared<ViewsArguments>();
  const Option json = command.flag("--json", arguments->json, "Print JSON");
  command.flag("--markdown", arguments->markdown, "Print the documentation").excludes(json);
  return {command, [arguments] { return run_views(*arguments); }};
}

}  // namespace vitrine::cli
