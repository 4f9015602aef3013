// The verbs of views that are asked with a process id of their own, or for every process.
//
// Thread contract: one thread.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "apps/cli/verbs/view_command.h"

namespace vitrine::cli {

struct ProcessVerb {
  const char* name;
  const char* description;
  const char* footer = nullptr;  // of the help
  // Of a table of one process; that of all processes has pid and comm before them.
  std::string table_columns;
  // `pid`: nothing stands for every process.
  std::function<base::Result<std::unique_ptr<views::View>>(session::Session&,
                                                           std::optional<std::int64_t> pid)>
      attach;
};

Verb add_process_verb(CommandLine& line, ProcessVerb verb);

}  // namespace vitrine::cli
