#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "apps/cli/columns.h"
#include "apps/cli/condition.h"
#include "apps/cli/literal.h"

namespace vitrine::cli {
namespace {

constexpr std::size_t kLongest = 64u << 10;
constexpr int kDeepest = 64;
constexpr std::string_view kSpace = " \t\r\n";
constexpr std::string_view kEndsColumn = " \t\r\n()\"'=!<>~";
constexpr std::string_view kEndsValue = " \t\r\n()";
constexpr const char* kSyntax =
    "write COLUMN OP VALUE with = != < <= > >= ~ !~, joined by and, or, not and parentheses";

struct Word {
  std::string text;
  bool quoted = false;
};

}  // namespace

class ConditionParser {
 public:
  ConditionParser(std::string_view text, std::span<const views::Column> columns)
      : text_(text), columns_(columns) {}

  base::Result<Condition> parse() {
    if (text_.size() > kLongest)
      return base::fail(base::Code::invalid, "--where: the expression is longer than 64 KiB");
    auto condition = parse_any(0);
    if (!condition) return condition;
    skip_space();
    if (at_ < text_.size()) return fail(R"(expected "and", "or" or the end)", at_);
    return condition;
  }

 private:
  using Kind = Condition::Kind;
  using Operator = Condition::Operator;

  tl::unexpected<base::Error> fail(const std::string& cause, std::size_t at,
                                   std::string remedy = kSyntax) const {
    return base::fail(base::Code::invalid,
                      fmt::format("--where: {} at character {}", cause, at + 1), std::move(remedy));
  }

  void skip_space() { at_ = std::min(text_.find_first_not_of(kSpace, at_), text_.size()); }

  std::string_view peek_bare(std::string_view terminators) {
    skip_space();
    const std::size_t end = std::min(text_.find_first_of(terminators, at_), text_.size());
    return text_.substr(at_, end - at_);
  }

  bool take(std::string_view keyword) {
    const bool found = peek_bare(kEndsColumn) == keyword;
    if (found) at_ += keyword.size();
    return found;
  }

  bool take_sign(char sign) {
    skip_space();
    const bool found = at_ < text_.size() && text_[at_] == sign;
    if (found) ++at_;
    return found;
  }

  base::Result<Condition> parse_any(int depth) {
    return parse_list(Kind::any, "or", [&] {
      return parse_list(Kind::all, "and", [&] { return parse_term(depth); });
    });
  }

  template <class ParsePart>
  base::Result<Condition> parse_list(Kind kind, std::string_view keyword, ParsePart parse_part) {
    auto first = parse_part();
    if (!first || !take(keyword)) return first;
    Condition list;
    list.kind_ = kind;
    list.parts_.push_back(std::move(*first));
    do {
      auto part = parse_part();
      if (!part) return part;
      list.parts_.push_back(std::move(*part));
    } while (take(keyword));
    return list;
  }

  base::Result<Condition> parse_term(int depth) {
    if (depth > kDeepest) return fail("nested too deeply", at_);
    if (take("not")) {
      auto part = parse_term(depth + 1);
      if (!part) return part;
      Condition negation;
      negation.kind_ = Kind::negation;
      negation.parts_.push_back(std::move(*part));
      return negation;
    }
    if (take_sign('(')) {
      const std::size_t opened = at_ - 1;
      auto inner = parse_any(depth + 1);
      if (inner && !take_sign(')'))
        return fail(fmt::format("expected \")\" for the one opened at character {}", opened + 1),
                    at_);
      return inner;
    }
    return parse_comparison();
  }

  base::Result<Condition> parse_comparison() {
    const std::string_view name = peek_bare(kEndsColumn);
    if (name.empty()) return fail("expected a column", at_, list_columns(columns_));
    const auto column = find_column(columns_, name);
    if (!column) return fail(fmt::format("no column \"{}\"", name), at_, list_columns(columns_));
    const std::size_t start = at_;
    at_ += name.size();
    Condition condition;
    condition.kind_ = Kind::comparison;
    condition.column_ = *column;
    condition.name_ = columns_[*column].name;
    const views::Type type = columns_[*column].type;
    const auto op = take_operator();
    if (!op) {
      if (type != views::Type::boolean)
        return fail(fmt::format("expected an operator after \"{}\"", name), at_);
      condition.value_ = true;
      return condition;
    }
    condition.operator_ = *op;
    const bool pattern = *op == Operator::like || *op == Operator::unlike;
    if (pattern && type != views::Type::text)
      return fail(fmt::format("~ is for text, which \"{}\" is not,", name), start);
    return parse_value(std::move(condition), type);
  }

  std::optional<Operator> take_operator() {
    // Longer ones first, so that "<" does not take the half of "<=".
    static constexpr std::pair<std::string_view, Operator> kOperators[] = {
        {"!=", Operator::unequal},       {"!~", Operator::unlike}, {"<=", Operator::less_equal},
        {">=", Operator::greater_equal}, {"==", Operator::equal},  {"=", Operator::equal},
        {"<", Operator::less},           {">", Operator::greater}, {"~", Operator::like}};
    skip_space();
    for (const auto& [sign, op] : kOperators) {
      if (!text_.substr(at_).starts_with(sign)) continue;
      at_ += sign.size();
      return op;
    }
    return std::nullopt;
  }

  base::Result<Condition> parse_value(Condition condition, views::Type type) {
    skip_space();
    const std::size_t start = at_;
    const auto word = take_word();
    if (!word) return tl::unexpected(word.error());
    if (!word->quoted && word->text == "null") {
      if (condition.operator_ != Operator::equal && condition.operator_ != Operator::unequal)
        return fail("null can only be compared with = and !=,", start);
      return condition;
    }
    auto value = parse_literal(word->text, type);
    if (!value)
      return fail(fmt::format("expected {}, not \"{}\",", expected_literal(type), word->text),
                  start);
    condition.value_ = std::move(*value);
    return condition;
  }

  base::Result<Word> take_word() {
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '"' && quote != '\'') {
      const std::string_view bare = peek_bare(kEndsValue);
      if (bare.empty()) return fail("expected a value", at_);
      at_ += bare.size();
      return Word{std::string(bare), false};
    }
    const std::size_t opened = at_++;
    Word word{{}, true};
    for (; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
        // An escaped quotation mark is meant for us, the other escapes for parse_literal.
        if (text_[at_ + 1] != quote) word.text += text_[at_];
        ++at_;
      }
      word.text += text_[at_];
    }
    if (at_ == text_.size()) return fail("the quotation mark is not closed that stands", opened);
    ++at_;
    return word;
  }

  std::string_view text_;
  std::span<const views::Column> columns_;
  std::size_t at_ = 0;
};

base::Result<Condition> parse_condition(std::string_view text,
                                        std::span<const views::Column> columns) {
  return ConditionParser(text, columns).parse();
}

}  // namespace vitrine::cli
