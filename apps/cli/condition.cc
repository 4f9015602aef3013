#include "apps/cli/condition.h"

#include <utility>

#include "apps/cli/columns.h"
#include "apps/cli/glob.h"

namespace vitrine::cli {

Truth Condition::of(const views::Row& row) const {
  if (kind_ == Kind::comparison) return compare(row);
  if (kind_ == Kind::negation) {
    const Truth truth = parts_.front().of(row);
    if (truth == Truth::unknown) return truth;
    return truth == Truth::yes ? Truth::no : Truth::yes;
  }
  const Truth decisive = kind_ == Kind::all ? Truth::no : Truth::yes;
  Truth result = kind_ == Kind::all ? Truth::yes : Truth::no;
  for (const Condition& part : parts_) {
    const Truth truth = part.of(row);
    if (truth == decisive) return decisive;
    if (truth == Truth::unknown) result = Truth::unknown;
  }
  return result;
}

void Condition::add_columns_to(std::vector<std::size_t>& columns) const {
  if (kind_ == Kind::comparison) columns.push_back(column_);
  for (const Condition& part : parts_) part.add_columns_to(columns);
}

Truth Condition::compare(const views::Row& row) const {
  const bool asks_for_null = std::holds_alternative<std::monostate>(value_);
  const bool unreadable = is_unreadable(row, name_);
  if (unreadable && !asks_for_null) return Truth::unknown;
  const bool is_present = column_ < row.values.size() && !unreadable;
  return holds_for(is_present ? row.values[column_] : views::Value()) ? Truth::yes : Truth::no;
}

bool Condition::holds_for(const views::Value& value) const {
  const bool comparable = value.index() != 0 && value_.index() != 0;
  const auto like = [&] {
    const auto* text = std::get_if<std::string>(&value);
    const auto* pattern = std::get_if<std::string>(&value_);
    return text != nullptr && pattern != nullptr && glob_matches(*pattern, *text);
  };
  switch (operator_) {
    case Operator::equal:
      return order(value, value_) == 0;
    case Operator::unequal:
      return order(value, value_) != 0;
    case Operator::less:
      return comparable && order(value, value_) < 0;
    case Operator::less_equal:
      return comparable && order(value, value_) <= 0;
    case Operator::greater:
      return comparable && order(value, value_) > 0;
    case Operator::greater_equal:
      return comparable && order(value, value_) >= 0;
    case Operator::like:
      return like();
    case Operator::unlike:
      return !like();
  }
  return false;
}

}  // namespace vitrine::cli
