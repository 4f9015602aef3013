#include <string>

#include "apps/cli/verbs/view_command.h"
#include "vitrine/views/programs.h"

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
    return views::Programs::attach(session.kernel(), session.memory(), *pid);
  };
  command.table_columns = *pid ? "device,inode,deleted,path" : "pid,comm,device,inode,deleted,path";
  return run_view(arguments.view, command);
}

}  // namespace

Verb add_exe(CommandLine& line) {
  Command command = line.verb("exe", "Show the programs that processes run");
  auto arguments = std::make_shared<Arguments>();
  arguments->view.add_to(command);
  command.option("PID", arguments->pid, "A process's id; without one, every process");
  command.footer("Who runs a program that was replaced or removed: --where deleted.");
  return {command, [arguments] { return run(*arguments); }};
}

}  // namespace vitrine::cli
