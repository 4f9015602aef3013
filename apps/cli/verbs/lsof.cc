#include <string>

#include "apps/cli/verbs/view_command.h"
#include "vitrine/views/files.h"

namespace vitrine::cli {
namespace {

struct LsofArguments {
  ViewOptions view;
  std::string pid;
};

Exit run_lsof(const LsofArguments& arguments) {
  const auto pid = parse_pid(arguments.pid);
  if (!pid) return report(pid.error(), arguments.view.target.json);
  ViewCommand command;
  command.attach = [&pid](session::Session& session) {
    return views::Files::attach(session.kernel(), session.memory(), {.pid = *pid});
  };
  command.table_columns = "pid,comm,use,fd,access,type,size_bytes,offset,inode,deleted,path";
  return run_view(arguments.view, command);
}

}  // namespace

Verb add_lsof(CommandLine& line) {
  Command command = line.verb("lsof", "List the files that the guest's processes have open");
  auto arguments = std::make_shared<LsofArguments>();
  arguments->view.add_to(command);
  command.option("PID", arguments->pid, "A process's id; without one, every process");
  command.footer("Who keeps deleted files: --where 'deleted and size > 1M'.");
  return {command, [arguments] { return run_lsof(*arguments); }};
}

}  // namespace vitrine::cli
