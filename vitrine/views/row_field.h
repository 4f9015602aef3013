// How a view that makes its rows while it reads puts a value into one, or why there is none.
//
// Thread contract: pure functions.
#pragma once

#include <span>
#include <string>
#include <utility>

#include "vitrine/paging/walk.h"
#include "vitrine/views/value.h"

namespace vitrine::views {

// `fault`: of the reader, where the value was not readable.
inline void put(std::span<const Column> columns, Row& row, std::size_t column, bool readable,
                paging::Fault fault, Value value) {
  if (readable)
    row.values[column] = std::move(value);
  else
    row.errors.push_back(
        {columns[column].name, base::Code::unreadable, std::string(paging::name(fault))});
}

}  // namespace vitrine::views
