// Finding columns by what a user calls them, and comparing their values.
//
// Thread contract: pure functions.
#pragma once

#include <compare>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "vitrine/views/value.h"

namespace vitrine::cli {

// The index of the column of this name, or else of this heading in any case, as tables show it.
std::optional<std::size_t> find_column(std::span<const views::Column> columns,
                                       std::string_view word);

// "columns: pid, comm, …", the remedy where a name was wrong.
std::string list_columns(std::span<const views::Column> columns);

// Whether the row says that this column could not be read.
bool is_unreadable(const views::Row& row, std::string_view column);

// Order of two values of one column: numbers by value whatever their sign, text by bytes, no before
// yes, null after everything else.
std::strong_ordering order(const views::Value& a, const views::Value& b);

}  // namespace vitrine::cli
