#include "vitrine/views/maps.h"

#include <string>

#include "apps/cli/verbs/view_command.h"

namespace vitrine::cli {
namespace {

struct MapsArguments {
  ViewOptions view;
  std::string pid;
  bool pages = false;
};

Exit run_maps(const MapsArguments& arguments) {
  const auto pid = parse_pid(arguments.pid);
  if (!pid) return report(pid.error(), arguments.view.target.json);
  const views::MapsOptions options{.pid = *pid, .pages = arguments.pages};
  ViewCommand command;
  command.attach = [options](session::Session& session) {
    return views::Maps::attach(session.kernel(), session.memory(), options);
  };
  command.table_columns =
      std::string(options.pid ? "" : "pid,comm,") + "start,end,size_bytes,permissions," +
      (options.pages ? "resident_bytes,swapped_bytes," : "offset,device,inode,") + "deleted,path";
  return run_view(arguments.view, command);
}

}  // namespace

Verb add_maps(CommandLine& line) {
  Command command = line.verb("maps", "List the regions of the guest's processes' memory");
  auto arguments = std::make_shared<MapsArguments>();
  arguments->view.add_to(command);
  command.option("PID", arguments->pid, "A process's id; without one, every process");
  command.flag("--pages", arguments->pages,
               "Count what of each region is in memory, and what is swapped out");
  command.footer("What takes the memory of a process: --pages --sort=-resident_bytes.");
  return {command, [arguments] { return run_maps(*arguments); }};
}

}  // namespace vitrine::cli
