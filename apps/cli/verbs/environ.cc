#include "apps/cli/verbs/process_verb.h"
#include "vitrine/views/process_strings.h"

namespace vitrine::cli {

Verb add_environ(CommandLine& line) {
  return add_process_verb(
      line, {.name = "environ",
             .description = "List the environment that processes were started with",
             .footer = "Who was started with a variable: --where 'name = LD_PRELOAD'.",
             .table_columns = "name,value",
             .attach = [](session::Session& session, std::optional<std::int64_t> pid) {
               return views::ProcessStrings::attach(session.kernel(), session.memory(),
                                                    views::ProcessStrings::Kind::environment, pid);
             }});
}

}  // namespace vitrine::cli
