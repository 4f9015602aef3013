// The views and their columns as text, from what they declare: for the terminal and for
// docs/views.md.
//
// Thread contract: pure functions.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "vitrine/views/registry.h"

namespace vitrine::cli {

// One row per column of each view; what its columns are, view_columns() says.
std::vector<views::Row> rows_of(std::span<const views::Declaration> views);
std::span<const views::Column> view_columns();

// A chapter per view with a table of its columns.
std::string views_markdown(std::span<const views::Declaration> views);

}  // namespace vitrine::cli
