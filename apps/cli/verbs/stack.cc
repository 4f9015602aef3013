#include <string>

#include "apps/cli/verbs/view_command.h"
#include "vitrine/views/stacks.h"

namespace vitrine::cli {
namespace {

struct StackArguments {
  ViewOptions view;
  std::string pid;
  bool threads = false;
};

base::Result<views::RunningRegisters> registers_of(session::Session& session) {
  auto registers = session.registers();
  if (!registers) return base::fail(registers.error());
  return views::RunningRegisters{std::move(registers->processors), registers->same_instant};
}

Exit run_stack(const StackArguments& arguments) {
  const auto pid = parse_pid(arguments.pid);
  if (!pid) return report(pid.error(), arguments.view.target.json);
  views::StackOptions options{.pid = *pid, .threads = arguments.threads};
  ViewCommand command;
  command.attach = [options](session::Session& session) mutable {
    options.registers = [&session] { return registers_of(session); };
    return views::Stacks::attach(session.kernel(), session.memory(), options);
  };
  command.table_columns =
      options.pid && !options.threads ? "frame,function,module" : "pid,comm,state,function,module";
  return run_view(arguments.view, command);
}

}  // namespace

Verb add_stack(CommandLine& line) {
  Command command = line.verb("stack", "Show what tasks wait in: their kernel stacks");
  auto arguments = std::make_shared<StackArguments>();
  arguments->view.add_to(command);
  command.option("PID", arguments->pid, "A task's id; without one, every process");
  command.flag("--threads", arguments->threads, "All threads, not the first of a process alone");
  command.footer(
      "Who waits for a disk or a lock: --where 'state = D'; and who has it: vitrine why. A task "
      "that "
      "runs on a processor is told by that processor's registers: with --pause=vmm they are of the "
      "same instant as its stack.");
  return {command, [arguments] { return run_stack(*arguments); }};
}

}  // namespace vitrine::cli
