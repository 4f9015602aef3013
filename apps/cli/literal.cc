#include "apps/cli/literal.h"

#include <charconv>
#include <cstdint>
#include <limits>
#include <span>

#include "apps/cli/escape.h"

namespace vitrine::cli {
namespace {

using views::Type;
using views::Value;

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr Unit kNoUnits[] = {{"", 1}};
constexpr Unit kSizes[] = {{"", 1},           {"B", 1},
                           {"K", 1ull << 10}, {"KiB", 1ull << 10},
                           {"M", 1ull << 20}, {"MiB", 1ull << 20},
                           {"G", 1ull << 30}, {"GiB", 1ull << 30},
                           {"T", 1ull << 40}, {"TiB", 1ull << 40},
                           {"P", 1ull << 50}, {"PiB", 1ull << 50},
                           {"E", 1ull << 60}, {"EiB", 1ull << 60}};
constexpr Unit kTimes[] = {{"", 1},
                           {"ns", 1},
                           {"us", 1'000},
                           {"ms", 1'000'000},
                           {"s", 1'000'000'000},
                           {"min", 60'000'000'000},
                           {"h", 3'600'000'000'000},
                           {"d", 86'400'000'000'000}};

// Takes digits from the start of `text`; nothing where there are none or the number is too large.
std::optional<std::uint64_t> take_number(std::string_view& text, int base) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

// number * factor, plus the decimal fraction `digits` of factor, cut to a whole number.
std::optional<std::uint64_t> scale(std::uint64_t number, std::string_view digits,
                                   std::uint64_t factor) {
  constexpr std::size_t kMostDigits = 9;  // keeps every product below 64 bits
  std::uint64_t power = 1;
  std::uint64_t fraction = 0;
  for (const char digit : digits.substr(0, kMostDigits)) {
    power *= 10;
    fraction = fraction * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  const std::uint64_t part = fraction * (factor / power) + fraction * (factor % power) / power;
  std::uint64_t whole = 0;
  if (__builtin_mul_overflow(number, factor, &whole)) return std::nullopt;
  if (__builtin_add_overflow(whole, part, &whole)) return std::nullopt;
  return whole;
}

std::optional<Value> signed_value(std::uint64_t magnitude, bool negative) {
  if (!negative || magnitude == 0) return magnitude;
  constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (magnitude - 1 > kLargest) return std::nullopt;
  return static_cast<std::int64_t>(0 - magnitude);
}

std::string_view take_fraction(std::string_view& text) {
  if (!text.starts_with('.')) return {};
  const std::size_t end = std::min(text.find_first_not_of("0123456789", 1), text.size());
  const std::string_view digits = text.substr(1, end - 1);
  if (!digits.empty()) text.remove_prefix(end);
  return digits;
}

std::optional<Value> parse_number(std::string_view word, std::span<const Unit> units) {
  const bool negative = word.starts_with('-');
  if (negative) word.remove_prefix(1);
  const bool hex = word.starts_with("0x");
  if (hex) word.remove_prefix(2);
  const auto number = take_number(word, hex ? 16 : 10);
  if (!number) return std::nullopt;
  const std::string_view fraction = hex ? std::string_view() : take_fraction(word);
  if (word.size() > 1 && word.front() == ' ') word.remove_prefix(1);
  for (const Unit& unit : units) {
    if (unit.name != word || (unit.factor == 1 && !fraction.empty())) continue;
    const auto scaled = scale(*number, fraction, unit.factor);
    return scaled ? signed_value(*scaled, negative) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Value> parse_literal(std::string_view word, Type type) {
  switch (type) {
    case Type::address:
      if (word.starts_with('-')) return std::nullopt;
      [[fallthrough]];
    case Type::integer:
      return parse_number(word, kNoUnits);
    case Type::bytes:
      return parse_number(word, kSizes);
    case Type::nanoseconds:
      return parse_number(word, kTimes);
    case Type::boolean:
      if (word == "yes" || word == "true") return true;
      if (word == "no" || word == "false") return false;
      return std::nullopt;
    case Type::text:
      break;
  }
  return from_terminal(word);
}

std::string_view expected_literal(Type type) {
  switch (type) {
    case Type::integer:
      return "a whole number";
    case Type::address:
      return "an address such as 0xffff888000000000";
    case Type::bytes:
      return "a size such as 4096, 10M or 1.5GiB";
    case Type::nanoseconds:
      return "a time such as 250ms, 1.5s or 2h";
    case Type::boolean:
      return "yes or no";
    case Type::text:
      break;
  }
  return R"(text whose backslashes are escapes such as \\, \n or \x1b)";
}

}  // namespace vitrine::cli
