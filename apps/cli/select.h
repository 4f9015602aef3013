// --columns, --sort and --where: which rows and columns are shown, and in which order.
//
// Thread contract: parsing is a pure function; a Selection is immutable and may be used again and
// again.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apps/cli/condition.h"
#include "vitrine/base/result.h"
#include "vitrine/views/value.h"

namespace vitrine::cli {

// What the user wrote; empty where the option was not given.
struct SelectionText {
  std::string columns;  // "pid,comm"; "all"
  std::string sort;     // "-rss_bytes,pid": "-" for descending
  std::string where;    // see condition.h
};

struct SortKey {
  std::size_t column = 0;
  bool descending = false;
};

struct Selection {
  std::vector<views::Column> all;      // as the view declares them
  std::vector<views::Column> columns;  // those chosen, in the order to show them
  std::vector<std::size_t> indexes;    // of the chosen ones in `all`
  std::vector<SortKey> sort;
  std::optional<Condition> where;
};

// The names of the columns that a selection shows, sorts by or asks for; they live as long as the
// view's declaration.
std::vector<std::string_view> columns_used(const Selection& selection);

// Columns may be named as in JSON or as their table heading in any case. An unknown name is
// `invalid`, with the valid ones as remedy.
base::Result<Selection> parse_selection(const SelectionText& text,
                                        std::span<const views::Column> columns);

struct Selected {
  std::vector<views::Row> rows;  // of Selection::all
  std::size_t undecided = 0;     // left out because a field that --where asks for was unreadable
};

// Keeps the rows that --where asks for, and sorts them (stable; null last in either direction).
Selected select(const Selection& selection, std::vector<views::Row> rows);

// Keeps the chosen columns of each row, and the errors that concern them or the whole row.
std::vector<views::Row> project(const Selection& selection, std::vector<views::Row> rows);

}  // namespace vitrine::cli
