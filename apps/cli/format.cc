#include "apps/cli/format.h"

#include <fmt/format.h>

#include <array>
#include <variant>

#include "apps/cli/escape.h"
#include "vitrine/base/address.h"

namespace vitrine::cli {
namespace {

template <class Number>
std::string number_text(Number number, views::Type type) {
  const auto bits = static_cast<std::uint64_t>(number);
  if (type == views::Type::nanoseconds) return seconds_text(number);
  if (type == views::Type::address) return base::to_hex(bits);
  if (type == views::Type::bytes && number >= 0) return size_text(bits);
  return fmt::format("{}", number);
}

struct CellText {
  views::Type type;

  std::string operator()(std::monostate) const { return "-"; }
  std::string operator()(bool value) const { return value ? "yes" : "no"; }
  std::string operator()(std::int64_t value) const { return number_text(value, type); }
  std::string operator()(std::uint64_t value) const { return number_text(value, type); }
  std::string operator()(const std::string& value) const { return for_terminal(value); }
};

}  // namespace

std::string size_text(std::uint64_t bytes) {
  constexpr std::array<const char*, 6> kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  // 1023.95 and more would be printed as 1024.0, so it belongs to the next unit.
  double size = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  for (; size >= 1023.95 && unit + 1 < kUnits.size(); ++unit) size /= 1024;
  return fmt::format("{:.1f} {}", size, kUnits[unit]);
}

std::string seconds_text(std::uint64_t nanoseconds) {
  return fmt::format("{}.{:03} s", nanoseconds / 1'000'000'000, nanoseconds / 1'000'000 % 1000);
}

std::string seconds_text(std::int64_t nanoseconds) {
  const auto bits = static_cast<std::uint64_t>(nanoseconds);
  return nanoseconds < 0 ? "-" + seconds_text(0 - bits) : seconds_text(bits);
}

std::string cell_text(const views::Value& value, views::Type type) {
  return std::visit(CellText{type}, value);
}

bool aligns_right(views::Type type) {
  return type == views::Type::integer || type == views::Type::bytes ||
         type == views::Type::nanoseconds || type == views::Type::address;
}

std::string heading_of(const views::Column& column) {
  if (!column.heading.empty()) return std::string(column.heading);
  std::string_view name = column.name;
  const auto drop = [&](std::string_view unit) {
    if (name.size() > unit.size() && name.ends_with(unit)) name.remove_suffix(unit.size());
  };
  if (column.type == views::Type::bytes) drop("_bytes");
  if (column.type == views::Type::nanoseconds) drop("_ns");
  std::string heading(name);
  for (char& c : heading)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return heading;
}

}  // namespace vitrine::cli
