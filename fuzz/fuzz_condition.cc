// The expression of --where. Whatever is accepted means the same in parentheses and the opposite
// after "not"; whatever is refused is refused at a character of the text. An expression written
// from a tree means what the tree means.
//
// Input: a choice, then the text or the tree.
#include <fmt/format.h>
#include <fuzzer/FuzzedDataProvider.h>

#include <array>

#include "apps/cli/columns.h"
#include "apps/cli/condition.h"
#include "apps/cli/error.h"
#include "apps/cli/escape.h"
#include "apps/cli/glob.h"
#include "fuzz/fuzzer.h"
#include "fuzz/require.h"

namespace {

using namespace vitrine;
using cli::Truth;
using fuzz::require;
using views::Type;
using views::Value;

constexpr std::array<views::Column, 5> kColumns{{{"pid", Type::integer},
                                                 {"comm", Type::text},
                                                 {"rss_bytes", Type::bytes},
                                                 {"exiting", Type::boolean},
                                                 {"mm", Type::address}}};

const std::array<views::Row, 3>& rows() {
  static const std::array<views::Row, 3> kRows{
      {{{std::int64_t{1}, std::string("init"), std::uint64_t{4096}, false, std::uint64_t{0}}, {}},
       {{std::int64_t{-7}, std::string("a*\xff\"'\\"), std::uint64_t{1} << 40, true, Value()}, {}},
       {{Value(), std::string(), std::uint64_t{0}, Value(), ~std::uint64_t{0}},
        {{"pid", base::Code::unreadable, "torn"}, {"exiting", base::Code::absent, "gone"}}}}};
  return kRows;
}

Truth opposite(Truth truth) {
  if (truth == Truth::unknown) return truth;
  return truth == Truth::yes ? Truth::no : Truth::yes;
}

void check_text(const std::string& text) {
  const auto condition = cli::parse_condition(text, kColumns);
  if (!condition) {
    const base::Error& error = condition.error();
    require(error.code == base::Code::invalid && !error.message.empty());
    const auto number = error.message.rfind(" at character ");
    if (number != std::string::npos) {
      const auto at = std::stoull(error.message.substr(number + 14));
      require(at >= 1 && at <= text.size() + 1);
    }
    return;
  }
  const auto inside = cli::parse_condition("(" + text + ")", kColumns);
  const auto negated = cli::parse_condition("not (" + text + ")", kColumns);
  const auto twice = cli::parse_condition("(" + text + ") and (" + text + ")", kColumns);
  for (const views::Row& row : rows()) {
    const Truth truth = condition->of(row);
    // Depth and length are bounded: what is just within the bounds may not be wrapped.
    if (inside) require(inside->of(row) == truth);
    if (negated) require(negated->of(row) == opposite(truth));
    if (twice) require(twice->of(row) == truth);
  }
}

// An expression and what it means for each of the rows.
struct Tree {
  std::string text;
  std::array<Truth, 3> truths = {};
};

std::string in_quotes(std::string_view text) {
  std::string result = "\"";
  for (const char c : cli::for_terminal(text)) {
    if (c == '"') result += '\\';
    result += c;
  }
  return result + "\"";
}

bool holds(int operation, std::strong_ordering order) {
  enum Operator : int { kEqual, kUnequal, kLess, kLessEqual, kGreater };
  switch (operation) {
    case kEqual:
      return order == 0;
    case kUnequal:
      return order != 0;
    case kLess:
      return order < 0;
    case kLessEqual:
      return order <= 0;
    case kGreater:
      return order > 0;
    default:
      return order >= 0;
  }
}

Tree comparison(FuzzedDataProvider& input) {
  static constexpr const char* kOperators[] = {"=", "!=", "<", "<=", ">", ">=", "~", "!~"};
  const bool is_text = input.ConsumeBool();
  const int operation = input.ConsumeIntegralInRange(0, is_text ? 7 : 5);
  const std::size_t column = is_text ? 1 : 0;
  const Value value = is_text ? Value(input.ConsumeRandomLengthString(12))
                              : Value(input.ConsumeIntegral<std::int64_t>());
  Tree tree;
  const std::string written = is_text ? in_quotes(std::get<std::string>(value))
                                      : fmt::format("{}", std::get<std::int64_t>(value));
  tree.text = fmt::format("{} {} {}", kColumns[column].name, kOperators[operation], written);
  for (std::size_t i = 0; i < tree.truths.size(); ++i) {
    const Value& cell = rows()[i].values[column];
    if (cell.index() == 0) {  // the only null there is unreadable, too
      tree.truths[i] = Truth::unknown;
      continue;
    }
    const bool found = operation < 6
                           ? holds(operation, cli::order(cell, value))
                           : cli::glob_matches(std::get<std::string>(value),
                                               std::get<std::string>(cell)) == (operation == 6);
    tree.truths[i] = found ? Truth::yes : Truth::no;
  }
  return tree;
}

Tree any_tree(FuzzedDataProvider& input, int depth) {
  const int kind = depth == 0 ? 0 : input.ConsumeIntegralInRange(0, 3);
  if (kind == 0) return comparison(input);
  Tree left = any_tree(input, depth - 1);
  if (kind == 1) {
    left.text = "not (" + left.text + ")";
    for (Truth& truth : left.truths) truth = opposite(truth);
    return left;
  }
  const Tree right = any_tree(input, depth - 1);
  const Truth decisive = kind == 2 ? Truth::no : Truth::yes;
  left.text = fmt::format("({}) {} ({})", left.text, kind == 2 ? "and" : "or", right.text);
  for (std::size_t i = 0; i < left.truths.size(); ++i) {
    Truth& truth = left.truths[i];
    const Truth other = right.truths[i];
    if (truth == decisive || other == decisive)
      truth = decisive;
    else if (other == Truth::unknown)
      truth = other;
  }
  return left;
}

}  // namespace

VITRINE_FUZZER(condition) {
  FuzzedDataProvider input(data, size);
  if (input.ConsumeBool()) {  // taken from the end: a seed is text and one more byte
    check_text(input.ConsumeRemainingBytesAsString());
    return 0;
  }
  const Tree tree = any_tree(input, 4);
  const auto condition = cli::parse_condition(tree.text, kColumns);
  require(condition.has_value());
  for (std::size_t i = 0; i < tree.truths.size(); ++i)
    require(condition->of(rows()[i]) == tree.truths[i]);
  return 0;
}
