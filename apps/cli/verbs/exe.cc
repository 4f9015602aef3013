#include "apps/cli/verbs/process_verb.h"
#include "vitrine/views/programs.h"

namespace vitrine::cli {

Verb add_exe(CommandLine& line) {
  return add_process_verb(
      line, {.name = "exe",
             .description = "Show the programs that processes run",
             .footer = "Who runs a program that was replaced or removed: --where deleted.",
             .table_columns = "device,inode,deleted,path",
             .attach = [](session::Session& session, std::optional<std::int64_t> pid) {
               return views::Programs::attach(session.kernel(), session.memory(), pid);
             }});
}

}  // namespace vitrine::cli
