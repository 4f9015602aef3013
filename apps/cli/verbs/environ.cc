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
                                         views::ProcessStrings::Kind::environment, *pid);
  };
  command.table_columns = *pid ? "name,value" : "pid,comm,name,value";
  return run_view(arguments.view, command);
}

}  // namespace

Verb add_environ(CommandLine& line) {
  Command command = line.verb("environ", "List the environment that processes were started with");
  auto arguments = std::make_shared<Arguments>();
  arguments->view.add_to(command);
  command.option("PID", arguments->pid, "A process's id; without one, every process");
  command.footer("Who was started with a variable: --where 'name = LD_PRELOAD'.");
  return {command, [arguments] { return run(*arguments); }};
}

}  // namespace vitrine::cli
