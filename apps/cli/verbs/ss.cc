#include "apps/cli/verbs/view_command.h"
#include "vitrine/views/sockets.h"

namespace vitrine::cli {
namespace {

Exit run_ss(const ViewOptions& options) {
  ViewCommand command;
  command.attach = [](session::Session& session) {
    return views::Sockets::attach(session.kernel(), session.memory());
  };
  command.table_columns =
      "namespace,netid,state,recv_q,send_q,local_address,local_port,remote_address,remote_port,"
      "interface,inode,pid,comm,fd";
  return run_view(options, command);
}

}  // namespace

Verb add_ss(CommandLine& line) {
  Command command = line.verb("ss", "List the guest's sockets, and who has them open");
  auto options = std::make_shared<ViewOptions>();
  options->add_to(command);
  command.footer(
      "Who listens: --where 'state = LISTEN and netid = tcp'. What nobody has open any more: "
      "--where "
      "'owners = 0'.");
  return {command, [options] { return run_ss(*options); }};
}

}  // namespace vitrine::cli
