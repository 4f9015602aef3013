#include "apps/cli/columns.h"

#include <algorithm>
#include <utility>

#include "apps/cli/format.h"

namespace vitrine::cli {
namespace {

using views::Value;

// Alternatives that cannot be compared are kept apart by rank, null last.
int rank(const Value& value) {
  if (std::holds_alternative<bool>(value)) return 0;
  if (std::holds_alternative<std::string>(value)) return 2;
  return std::holds_alternative<std::monostate>(value) ? 3 : 1;
}

template <class A, class B>
std::strong_ordering order_numbers(A a, B b) {
  if (std::cmp_equal(a, b)) return std::strong_ordering::equal;
  return std::cmp_less(a, b) ? std::strong_ordering::less : std::strong_ordering::greater;
}

}  // namespace

std::optional<std::size_t> find_column(std::span<const views::Column> columns,
                                       std::string_view word) {
  for (std::size_t i = 0; i < columns.size(); ++i)
    if (columns[i].name == word) return i;
  const auto same_letter = [](char a, char b) { return (a >= 'a' && a <= 'z' ? a - 32 : a) == b; };
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::string heading = heading_of(columns[i]);
    if (std::equal(word.begin(), word.end(), heading.begin(), heading.end(), same_letter)) return i;
  }
  return std::nullopt;
}

std::string list_columns(std::span<const views::Column> columns) {
  std::string text = "columns:";
  for (const views::Column& column : columns)
    text.append(&column == columns.data() ? " " : ", ").append(column.name);
  return text;
}

bool is_unreadable(const views::Row& row, std::string_view column) {
  return std::any_of(row.errors.begin(), row.errors.end(),
                     [&](const views::FieldError& error) { return error.field == column; });
}

std::strong_ordering order(const Value& a, const Value& b) {
  if (rank(a) != rank(b)) return rank(a) <=> rank(b);
  if (const auto* text = std::get_if<std::string>(&a))
    return text->compare(std::get<std::string>(b)) <=> 0;
  if (const auto* flag = std::get_if<bool>(&a))
    return static_cast<int>(*flag) <=> static_cast<int>(std::get<bool>(b));
  if (std::holds_alternative<std::monostate>(a)) return std::strong_ordering::equal;
  const auto* ai = std::get_if<std::int64_t>(&a);
  const auto* bi = std::get_if<std::int64_t>(&b);
  if (ai && bi) return order_numbers(*ai, *bi);
  if (ai) return order_numbers(*ai, std::get<std::uint64_t>(b));
  if (bi) return order_numbers(std::get<std::uint64_t>(a), *bi);
  return order_numbers(std::get<std::uint64_t>(a), std::get<std::uint64_t>(b));
}

}  // namespace vitrine::cli
