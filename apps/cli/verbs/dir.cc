#include <algorithm>
#include <chrono>
#include <string>

#include "apps/cli/column_index.h"
#include "apps/cli/json.h"
#include "apps/cli/verbs/view_command.h"
#include "vitrine/views/directory.h"

namespace vitrine::cli {
namespace {

struct DirArguments {
  ViewOptions view;
  std::string path;
  std::string pid;
};

base::Result<session::Observation> observe(session::Session& session, views::View& view) {
  auto observation = session.observe(view);
  const auto& failure = static_cast<const views::Directory&>(view).failure();
  if (observation && failure) return base::fail(*failure);
  return observation;
}

// Times as people read them, in UTC.
void show_dates(std::span<const views::Column> columns, std::vector<views::Row>& rows) {
  const std::size_t modified = index_of(columns, "mtime_ns");
  for (views::Row& row : rows)
    if (const auto* ns = std::get_if<std::int64_t>(&row.values[modified])) {
      const std::chrono::sys_time<std::chrono::nanoseconds> time{std::chrono::nanoseconds(*ns)};
      std::string date = rfc3339(time).substr(0, 19);
      std::ranges::replace(date, 'T', ' ');
      row.values[modified] = std::move(date);
    }
}

Exit run_dir(const DirArguments& arguments) {
  const auto pid = parse_pid(arguments.pid);
  if (!pid) return report(pid.error(), arguments.view.target.json);
  ViewCommand command;
  command.attach = [&](session::Session& session) {
    return views::Directory::attach(session.kernel(), session.memory(),
                                    {.path = arguments.path, .pid = pid->value_or(1)});
  };
  command.observe = observe;
  command.table_columns =
      "permissions,links,uid,gid,size_bytes,mtime_ns,mounted,deleted,name,target";
  command.adorn = show_dates;
  command.empty_means = "the directory is empty";
  return run_view(arguments.view, command);
}

}  // namespace

Verb add_dir(CommandLine& line) {
  Command command = line.verb("dir", "List a directory of the guest, from its cache");
  auto arguments = std::make_shared<DirArguments>();
  arguments->view.add_to(command);
  command
      .option("PATH", arguments->path, "A directory or file of the guest, from its root directory")
      .required();
  command.option("--pid", arguments->pid,
                 "See PATH as this process does: from its root directory and among its mounts; "
                 "without it, as the guest's first process");
  command.footer(
      "Only what the guest itself has in memory can be seen. Where that need not be all, a warning "
      "says so and the exit status is 3; of tmpfs and its like it is all.");
  return {command, [arguments] { return run_dir(*arguments); }};
}

}  // namespace vitrine::cli
