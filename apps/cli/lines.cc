#include "apps/cli/lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "apps/cli/column_index.h"

namespace vitrine::cli {
namespace {

constexpr std::size_t kMostLines = 4U << 20;

}  // namespace

void show_microseconds(std::span<const views::Column> columns, std::string_view column,
                       std::vector<views::Row>& rows) {
  const std::size_t index = index_of(columns, column);
  for (views::Row& row : rows)
    if (const auto* time = std::get_if<std::uint64_t>(&row.values[index]))
      row.values[index] = fmt::format("{}.{:06}", *time / 1'000'000'000, *time / 1000 % 1'000'000);
}

void one_row_per_line(std::span<const views::Column> columns, std::string_view column,
                      std::vector<views::Row>& rows) {
  const std::size_t index = index_of(columns, column);
  std::vector<views::Row> split;
  split.reserve(rows.size());
  for (views::Row& row : rows) {
    auto* value = std::get_if<std::string>(&row.values[index]);
    if (value == nullptr || value->find('\n') == std::string::npos || split.size() >= kMostLines) {
      split.push_back(std::move(row));
      continue;
    }
    const std::string text = std::exchange(*value, {});
    for (std::size_t at = 0; at <= text.size();) {
      std::size_t end = std::min(text.find('\n', at), text.size());
      // A hostile text may be nothing but line feeds: what is left stays one line, escaped.
      if (split.size() >= kMostLines) end = text.size();
      split.push_back(row);
      split.back().values[index] = text.substr(at, end - at);
      at = end + 1;
    }
  }
  rows = std::move(split);
}

}  // namespace vitrine::cli
