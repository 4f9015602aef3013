// The options and the course that every view's verb has: attach, observe, choose rows and columns,
// print; once or, with --watch, again and again until the VM ends or the user has seen enough.
//
// Thread contract: one thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "apps/cli/select.h"
#include "apps/cli/verbs/verb.h"
#include "vitrine/views/view.h"

namespace vitrine::cli {

struct ViewOptions {
  Target target;
  SelectionText selection;
  double watch = 0;    // seconds between observations; 0: one only
  std::string record;  // the evidence file to be written; empty: none

  void add_to(Command& command);
};

// What tells one view's verb from another's.
struct ViewCommand {
  std::function<base::Result<std::unique_ptr<views::View>>(session::Session&)> attach;
  // Where set: observes in place of one plain observation.
  std::function<base::Result<session::Observation>(session::Session&, views::View&)> observe = {};
  // For tables only: which columns unless the user chooses, and how rows are made nicer to read.
  std::string table_columns = {};
  std::function<void(std::span<const views::Column>, std::vector<views::Row>&)> adorn = {};
  // For tables only: lines above the heading, made from what was observed. Hostile text.
  std::function<std::vector<std::string>(const views::View&)> summary = {};
  // What it means that there is no row, where that may be; empty: it is an error, since nothing
  // that was read whole can be so.
  std::string_view empty_means = {};
  // Lines are not shortened to fit the terminal.
  bool whole_lines = false;
  // Of a view that grows: the ascending column by which rows that were shown are told from new
  // ones, which alone are shown when it is watched. Empty: every row is shown each time.
  std::string_view follows = {};
};

// The argument PID of a verb; nothing where it was not given. Error: `invalid` where it is none.
base::Result<std::optional<std::int64_t>> parse_pid(const std::string& text);

Exit run_view(const ViewOptions& options, const ViewCommand& command);

}  // namespace vitrine::cli
