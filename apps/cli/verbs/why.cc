#include <string>

#include "apps/cli/verbs/view_command.h"
#include "vitrine/views/waits.h"

namespace vitrine::cli {
namespace {

struct WhyArguments {
  ViewOptions view;
  std::string pid;
  bool all = false;
};

Exit run_why(const WhyArguments& arguments) {
  const auto pid = parse_pid(arguments.pid);
  if (!pid) return report(pid.error(), arguments.view.target.json);
  const views::WaitOptions options{.pid = *pid, .all = arguments.all};
  ViewCommand command;
  command.attach = [options](session::Session& session) {
    return views::Waits::attach(session.kernel(), session.memory(), options);
  };
  command.table_columns =
      "pid,comm,state,waited_ns,waits_for,lock_name,owner,owner_comm,waiters,function";
  command.summary = [](const views::View& view) {
    return static_cast<const views::Waits&>(view).summary();
  };
  if (!options.pid) command.empty_means = "no task waits for another, nor uninterruptibly";
  return run_view(arguments.view, command);
}

}  // namespace

Verb add_why(CommandLine& line) {
  Command command = line.verb("why", "Show why the guest hangs: who waits for whom, and for what");
  auto arguments = std::make_shared<WhyArguments>();
  arguments->view.add_to(command);
  command.option("PID", arguments->pid, "A task's id: it, and whom it waits for");
  command.flag("--all", arguments->all, "Every task that sleeps, whatever it waits for");
  command.footer(
      "Root blockers come first, deadlocks before them. What a task holds is not known, only what "
      "others wait for. Deadlocks only: --where deadlock.");
  return {command, [arguments] { return run_why(*arguments); }};
}

}  // namespace vitrine::cli
