#include <string>

#include "apps/cli/lines.h"
#include "apps/cli/verbs/view_command.h"
#include "vitrine/views/kernel_log.h"

namespace vitrine::cli {
namespace {

constexpr double kFollowing = 0.5;  // seconds between two looks

struct DmesgArguments {
  ViewOptions view;
  bool follow = false;
};

Exit run_dmesg(DmesgArguments arguments) {
  if (arguments.follow && arguments.view.watch == 0) arguments.view.watch = kFollowing;
  ViewCommand command;
  const views::LogOptions options{.finished_only = arguments.follow};
  command.attach = [options](session::Session& session) {
    return views::KernelLog::attach(session.kernel(), session.memory(), options);
  };
  command.table_columns = "time_ns,level,caller,text";
  command.adorn = [](std::span<const views::Column> columns, std::vector<views::Row>& rows) {
    one_row_per_line(columns, "text", rows);
    show_microseconds(columns, "time_ns", rows);
  };
  command.whole_lines = true;
  if (arguments.follow) command.follows = "seq";
  return run_view(arguments.view, command);
}

}  // namespace

Verb add_dmesg(CommandLine& line) {
  Command command = line.verb("dmesg", "Show the guest kernel's log");
  auto arguments = std::make_shared<DmesgArguments>();
  arguments->view.add_to(command);
  command.flag("-w,--follow", arguments->follow,
               "Show what is logged from now on, too, until interrupted");
  command.footer(
      "All that the kernel still keeps is shown, also what was cleared for the guest's own dmesg. "
      "Only what is severe: --where 'priority <= 4'. In tables, a record of several lines takes as "
      "many rows.");
  return {command, [arguments] { return run_dmesg(*arguments); }};
}

}  // namespace vitrine::cli
