#include <string>

#include "apps/cli/verbs/view_command.h"
#include "vitrine/views/process_strings.h"

namespace vitrine::cli {
namespace {

struct Arguments {
  ViewOptions view;
  std::string pid;
};

Exit run(const Arguments& arguments) {
  const auto pid = parse_pid(arguments.pid);
  if (!pid) return report(pid.error(), arguments.view.target.json);
  ViewCommand command;
  command.attach = [&pid](session::Session& session) {
    return views::ProcessStrings::attach(session.kernel(), session.memory(),
                                         views::ProcessStrings::Kind::arguments, *pid);
  };
  command.table_columns = *pid ? "index,argument" : "pid,comm,index,argument";
  return run_view(arguments.view, command);
}

}  // namespace

Verb add_cmdline(CommandLine& line) {
  Command command = line.verb("cmdline", "List the arguments that processes were started with");
  auto arguments = std::make_shared<Arguments>();
  arguments->view.add_to(command);
  command.option("PID", arguments->pid, "A process's id; without one, every process");
  return {command, [arguments] { return run(*arguments); }};
}

}  // namespace vitrine::cli
