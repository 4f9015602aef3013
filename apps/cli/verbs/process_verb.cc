#include "apps/cli/verbs/process_verb.h"

#include <memory>
#include <utility>

namespace vitrine::cli {
namespace {

struct ProcessVerbArguments {
  ViewOptions view;
  std::string pid;
};

Exit run_process_verb(const ProcessVerb& verb, const ProcessVerbArguments& arguments) {
  const auto pid = parse_pid(arguments.pid);
  if (!pid) return report(pid.error(), arguments.view.target.json);
  ViewCommand command;
  command.attach = [&](session::Session& session) { return verb.attach(session, *pid); };
  command.table_columns = *pid ? verb.table_columns : "pid,comm," + verb.table_columns;
  return run_view(arguments.view, command);
}

}  // namespace

Verb add_process_verb(CommandLine& line, ProcessVerb verb) {
  Command command = line.verb(verb.name, verb.description);
  auto arguments = std::make_shared<ProcessVerbArguments>();
  arguments->view.add_to(command);
  command.option("PID", arguments->pid, "A process's id; without one, every process");
  if (verb.footer != nullptr) command.footer(verb.footer);
  return {command,
          [verb = std::move(verb), arguments] { return run_process_verb(verb, *arguments); }};
}

}  // namespace vitrine::cli
