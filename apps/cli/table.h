// Rows as a table for people.
//
// Thread contract: pure functions; nothing is printed here.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "vitrine/views/value.h"

namespace vitrine::cli {

struct TableStyle {
  std::size_t width = 0;  // columns of the terminal; 0: nothing is shortened (a file, a pipe)
  bool colour = false;    // bold headings, marks in colour
  bool leave_out = true;  // columns may be left out to fit; false where the user chose them
};

struct Table {
  std::string text;                // ends with a line feed
  std::vector<std::string> notes;  // for stderr: what "?" stands for, which columns were left out
};

// The heading and a line per row: numbers to the right, "-" for null, "?" for unreadable. Where the
// width does not suffice, text is shortened with "…", the widest first; then columns are left out
// from the right, text last. REQUIRES: each row has one value per column; missing ones count as
// null.
Table make_table(std::span<const views::Column> columns, std::span<const views::Row> rows,
                 const TableStyle& style);

// The distinct reasons why fields are unreadable, each with the field, the code and how many rows
// it concerns; those that concern most rows first, at most ten.
std::vector<std::string> unreadable_notes(std::span<const views::Row> rows);

}  // namespace vitrine::cli
