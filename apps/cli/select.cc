#include "apps/cli/select.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "apps/cli/columns.h"

namespace vitrine::cli {
namespace {

using views::Row;

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> names;
  while (true) {
    const std::size_t comma = text.find(',');
    std::string_view name = text.substr(0, comma);
    while (name.starts_with(' ')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    names.push_back(name);
    if (comma == std::string_view::npos) return names;
    text.remove_prefix(comma + 1);
  }
}

base::Result<std::size_t> resolve(std::string_view option, std::string_view name,
                                  std::span<const views::Column> columns) {
  if (const auto index = find_column(columns, name)) return *index;
  return base::fail(base::Code::invalid, fmt::format("{}: no column \"{}\"", option, name),
                    list_columns(columns));
}

base::Result<std::vector<std::size_t>> parse_columns(std::string_view text,
                                                     std::span<const views::Column> columns) {
  std::vector<std::size_t> indexes;
  for (const std::string_view name : split(text)) {
    const auto index = resolve("--columns", name, columns);
    if (!index) return tl::unexpected(index.error());
    if (std::find(indexes.begin(), indexes.end(), *index) != indexes.end())
      return base::fail(base::Code::invalid,
                        fmt::format("--columns: \"{}\" is named twice", columns[*index].name));
    indexes.push_back(*index);
  }
  return indexes;
}

base::Result<std::vector<SortKey>> parse_sort(std::string_view text,
                                              std::span<const views::Column> columns) {
  std::vector<SortKey> keys;
  for (std::string_view name : split(text)) {
    const bool descending = name.starts_with('-');
    if (descending) name.remove_prefix(1);
    const auto index = resolve("--sort", name, columns);
    if (!index) return tl::unexpected(index.error());
    keys.push_back({*index, descending});
  }
  return keys;
}

bool comes_before(const Row& a, const Row& b, std::span<const SortKey> keys) {
  static const views::Value kNull;
  for (const SortKey& key : keys) {
    const auto& x = key.column < a.values.size() ? a.values[key.column] : kNull;
    const auto& y = key.column < b.values.size() ? b.values[key.column] : kNull;
    const auto ordering = order(x, y);
    if (ordering == 0) continue;
    const bool null = x.index() == 0 || y.index() == 0;
    return (ordering < 0) != (key.descending && !null);
  }
  return false;
}

Row keep_chosen(const Selection& selection, Row row) {
  Row kept;
  for (const std::size_t index : selection.indexes)
    kept.values.push_back(index < row.values.size() ? std::move(row.values[index])
                                                    : views::Value());
  const auto has = [](const std::vector<views::Column>& columns, std::string_view name) {
    return std::any_of(columns.begin(), columns.end(),
                       [&](const views::Column& column) { return column.name == name; });
  };
  for (views::FieldError& error : row.errors)
    if (has(selection.columns, error.field) || !has(selection.all, error.field))
      kept.errors.push_back(std::move(error));
  return kept;
}

}  // namespace

base::Result<Selection> parse_selection(const SelectionText& text,
                                        std::span<const views::Column> columns) {
  Selection selection;
  selection.all.assign(columns.begin(), columns.end());
  if (text.columns.empty() || text.columns == "all") {
    for (std::size_t i = 0; i < columns.size(); ++i) selection.indexes.push_back(i);
  } else {
    auto indexes = parse_columns(text.columns, columns);
    if (!indexes) return tl::unexpected(indexes.error());
    selection.indexes = std::move(*indexes);
  }
  for (const std::size_t index : selection.indexes) selection.columns.push_back(columns[index]);
  if (!text.sort.empty()) {
    auto keys = parse_sort(text.sort, columns);
    if (!keys) return tl::unexpected(keys.error());
    selection.sort = std::move(*keys);
  }
  if (!text.where.empty()) {
    auto condition = parse_condition(text.where, columns);
    if (!condition) return tl::unexpected(condition.error());
    selection.where = std::move(*condition);
  }
  return selection;
}

std::vector<std::string_view> columns_used(const Selection& selection) {
  std::vector<std::size_t> indexes = selection.indexes;
  for (const SortKey& key : selection.sort) indexes.push_back(key.column);
  if (selection.where) selection.where->add_columns_to(indexes);
  std::vector<std::string_view> names;
  names.reserve(indexes.size());
  for (const std::size_t index : indexes) names.push_back(selection.all[index].name);
  return names;
}

Selected select(const Selection& selection, std::vector<Row> rows) {
  Selected selected;
  if (selection.where) {
    std::erase_if(rows, [&](const Row& row) {
      const Truth truth = selection.where->of(row);
      if (truth == Truth::unknown) ++selected.undecided;
      return truth != Truth::yes;
    });
  }
  if (!selection.sort.empty())
    std::stable_sort(rows.begin(), rows.end(), [&](const Row& a, const Row& b) {
      return comes_before(a, b, selection.sort);
    });
  selected.rows = std::move(rows);
  return selected;
}

std::vector<Row> project(const Selection& selection, std::vector<Row> rows) {
  for (Row& row : rows) row = keep_chosen(selection, std::move(row));
  return rows;
}

}  // namespace vitrine::cli
