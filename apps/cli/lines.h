// What a log needs to be read in a table: a row a line, and times to the microsecond.
//
// Thread contract: pure functions.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "vitrine/views/value.h"

namespace vitrine::cli {

// Splits each row whose text in `column` has line feeds into one row a line, equal otherwise.
void one_row_per_line(std::span<const views::Column> columns, std::string_view column,
                      std::vector<views::Row>& rows);

// Times as dmesg shows them, "0.700123", in place of nanoseconds.
void show_microseconds(std::span<const views::Column> columns, std::string_view column,
                       std::vector<views::Row>& rows);

}  // namespace vitrine::cli
