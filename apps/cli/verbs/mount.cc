#include "apps/cli/verbs/view_command.h"
#include "vitrine/views/mounts.h"

namespace vitrine::cli {
namespace {

Exit run_mount(const ViewOptions& options) {
  ViewCommand command;
  command.attach = [](session::Session& session) {
    return views::Mounts::attach(session.kernel(), session.memory());
  };
  command.table_columns = "namespace,source,path,type,options,device,root";
  return run_view(options, command);
}

}  // namespace

Verb add_mount(CommandLine& line) {
  Command command = line.verb("mount", "List what is mounted where, in each mount namespace");
  auto options = std::make_shared<ViewOptions>();
  options->add_to(command);
  return {command, [options] { return run_mount(*options); }};
}

}  // namespace vitrine::cli
