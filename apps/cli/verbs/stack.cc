#include <string>

#include "apps/cli/verbs/view_command.h"
#include "vitrine/views/stacks.h"

namespace vitrine::cli {
namespace {

struct Arguments {
  ViewOptions view;
  std::string pid;
  bool threads = false;
};

Exit run(const Arguments& arguments) {
  const auto pid = parse_pid(arguments.pid);
  if (!pid) return report(pid.error(), arguments.view.target.json);
  const views::StackOptions options{.pid = *pid, .threads = arguments.threads};
  ViewCommand command;
  command.attach = [options](session::Session& session) {
    return views::Stacks::attach(session.kernel(), session.memory(), options);
  };
  command.table_columns =
      options.pid && !options.threads ? "frame,function,module" : "pid,comm,state,function,module";
  return run_view(arguments.view, command);
}

}  // namespace

Verb add_stack(CommandLine& line) {
  Command command = line.verb("stack", "Show what tasks wait in: their kernel stacks");
  auto arguments = std::make_shared<Arguments>();
  arguments->view.add_to(command);
  command.option("PID", arguments->pid, "A task's id; without one, every process");
  command.flag("--threads", arguments->threads, "All threads, not the first of a process alone");
  command.footer(
      "Who waits for a disk or a lock: --where 'state = D'. What a task does that runs on a "
      "processor at this moment is in registers: it has no stack to be read.");
  return {command, [arguments] { return run(*arguments); }};
}

}  // namespace vitrine::cli
