// Text of several lines in tables, where a row is one line.
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

}  // namespace vitrine::cli
