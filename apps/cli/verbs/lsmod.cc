#include "apps/cli/verbs/view_command.h"
#include "vitrine/views/modules.h"

namespace vitrine::cli {
namespace {

Exit run_lsmod(const ViewOptions& options) {
  ViewCommand command;
  command.attach = [](session::Session& session) {
    return views::Modules::attach(session.kernel(), session.memory());
  };
  command.table_columns = "name,size_bytes,users,used_by,state,taints,address,parameters";
  command.empty_means = "the guest's kernel has no modules loaded";
  return run_view(options, command);
}

}  // namespace

Verb add_lsmod(CommandLine& line) {
  Command command = line.verb("lsmod", "List the guest kernel's modules");
  auto options = std::make_shared<ViewOptions>();
  options->add_to(command);
  return {command, [options] { return run_lsmod(*options); }};
}

}  // namespace vitrine::cli
