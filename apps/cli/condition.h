// The expression of --where: which rows a user wants.
//
//   expression := conjunction { "or" conjunction }
//   conjunction := term { "and" term }
//   term := "not" term | "(" expression ")" | COLUMN | COLUMN OP VALUE
//   OP := = != < <= > >= ~ !~        (~ and !~: shell pattern over the whole text)
//
// A COLUMN alone must be boolean. A VALUE ends at white space or a parenthesis unless quoted with "
// or '; parse_literal says how each type is written; `null` (unquoted) is what is absent or
// unreadable.
//
// Thread contract: parsing is a pure function; a Condition is immutable and may be shared.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/views/value.h"

namespace vitrine::cli {

enum class Truth { no, yes, unknown };

class Condition {
 public:
  // Whether the row fulfils it; unknown where that hangs on a field that could not be read. What is
  // absent is unequal to every value, and neither smaller nor larger.
  // REQUIRES: a row of the columns it was parsed for.
  Truth of(const views::Row& row) const;

  // Adds the columns that it looks at, by their place; some perhaps several times.
  void add_columns_to(std::vector<std::size_t>& columns) const;

 private:
  friend class ConditionParser;

  enum class Operator { equal, unequal, less, less_equal, greater, greater_equal, like, unlike };
  enum class Kind { all, any, negation, comparison };

  Truth compare(const views::Row& row) const;
  bool holds_for(const views::Value& value) const;

  Kind kind_ = Kind::all;
  std::vector<Condition> parts_ = {};  // of all, any, negation
  std::size_t column_ = 0;             // of a comparison, as the rest
  std::string_view name_ = {};         // the column's, which outlives the condition
  Operator operator_ = Operator::equal;
  views::Value value_ = {};  // monostate: null
};

// The condition, or an `invalid` error that names the character (from 1) where the expression stops
// making sense. Depth and length are bounded.
base::Result<Condition> parse_condition(std::string_view text,
                                        std::span<const views::Column> columns);

}  // namespace vitrine::cli
