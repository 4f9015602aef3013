#include "apps/cli/verbs/process_verb.h"
#include "vitrine/views/process_strings.h"

namespace vitrine::cli {

Verb add_cmdline(CommandLine& line) {
  return add_process_verb(
      line, {.name = "cmdline",
             .description = "List the arguments that processes were started with",
             .table_columns = "index,argument",
             .attach = [](session::Session& session, std::optional<std::int64_t> pid) {
               return views::ProcessStrings::attach(session.kernel(), session.memory(),
                                                    views::ProcessStrings::Kind::arguments, pid);
             }});
}

}  // namespace vitrine::cli
