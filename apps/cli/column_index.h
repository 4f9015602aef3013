// Where a column stands among those that a view declares.
//
// Thread contract: a pure function.
#pragma once

#include <algorithm>
#include <span>
#include <string_view>

#include "vitrine/views/value.h"

namespace vitrine::cli {

// REQUIRES: there is one of that name.
inline std::size_t index_of(std::span<const views::Column> columns, std::string_view name) {
  return static_cast<std::size_t>(std::ranges::find(columns, name, &views::Column::name) -
                                  columns.begin());
}

}  // namespace vitrine::cli
