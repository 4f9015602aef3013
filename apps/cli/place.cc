#include "apps/cli/place.h"

#include <charconv>
#include <limits>
#include <string>

namespace vitrine::cli {
namespace {

using base::Code;
using base::fail;

constexpr std::string_view kPhysical = "phys:";
constexpr std::size_t kDigits = 16;  // of a whole address

std::optional<std::uint64_t> number(std::string_view digits, int base) {
  std::uint64_t value = 0;
  const char* const end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, value, base);
  if (parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
  return value;
}

// A number as addresses are written.
std::optional<std::uint64_t> address(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0X")) return number(text.substr(2), 16);
  // As the kernel prints its pointers.
  if (text.size() == kDigits) return number(text, 16);
  return number(text, 10);
}

}  // namespace

std::optional<std::uint64_t> parse_number(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0X")) return number(text.substr(2), 16);
  constexpr std::string_view kUnits = "KMG";
  const std::size_t unit = text.empty() ? std::string_view::npos : kUnits.find(text.back());
  if (unit == std::string_view::npos) return number(text, 10);
  const auto value = number(text.substr(0, text.size() - 1), 10);
  const unsigned shift = 10 * static_cast<unsigned>(unit + 1);
  if (!value || *value > std::numeric_limits<std::uint64_t>::max() >> shift) return std::nullopt;
  return *value << shift;
}

base::Result<Place> parse_place(std::string_view text, const kernel::SymbolLookup& symbols) {
  const auto wrong = fail(Code::invalid, "\"" + std::string(text) + "\" is no place in the guest",
                          "give an address such as 0xffffffff81000000, phys:0x1000, or a symbol "
                          "such as init_task or init_task+0x10");
  if (text.starts_with(kPhysical)) {
    const auto at = address(text.substr(kPhysical.size()));
    if (!at) return wrong;
    return Place{true, *at};
  }
  if (const auto at = address(text)) return Place{false, *at};
  const std::size_t sign = text.find_first_of("+-");
  const std::string_view name = text.substr(0, sign);
  std::uint64_t offset = 0;
  if (sign != std::string_view::npos) {
    const auto distance = parse_number(text.substr(sign + 1));
    if (!distance) return wrong;
    offset = text[sign] == '+' ? *distance : 0 - *distance;
  }
  if (name.empty()) return wrong;
  const auto found = symbols.find(name);
  if (!found)
    return fail(Code::absent, "the guest's kernel has no symbol " + std::string(name),
                "vitrine symbols lists them");
  return Place{false, found->value + offset};
}

}  // namespace vitrine::cli
