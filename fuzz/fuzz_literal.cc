// Values as a user types them in --where. What a table shows of a value can be typed, and means
// that value as exactly as the table showed it.
#include <fuzzer/FuzzedDataProvider.h>

#include "apps/cli/columns.h"
#include "apps/cli/format.h"
#include "apps/cli/literal.h"
#include "fuzz/fuzzer.h"
#include "fuzz/require.h"

namespace {

using namespace vitrine::cli;
using vitrine::fuzz::require;
using vitrine::views::Type;
using vitrine::views::Value;

constexpr Type kTypes[] = {Type::integer, Type::boolean,     Type::text,
                           Type::bytes,   Type::nanoseconds, Type::address};

// Exact, unlike a double, which at 10^19 is a thousand off.
long double number(const Value& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return *whole;
  return std::get<std::uint64_t>(value);
}

void check_typed_back(const Value& value, Type type) {
  // What a table rounds up to 16 EiB exceeds 64 bits.
  if (type == Type::bytes && number(value) > 0x1.fp63) return;
  const auto typed = parse_literal(cell_text(value, type), type);
  require(typed.has_value());
  if (type == Type::bytes || type == Type::nanoseconds) {
    // One digit behind the point of a number from 1 on; a millisecond, cut.
    const long double allowed = type == Type::bytes ? number(value) * 0.06L : 1e6L;
    const long double error = number(value) - number(*typed);
    require(error <= std::max(allowed, -allowed) && -error <= std::max(allowed, -allowed));
  } else {
    require(order(*typed, value) == 0);
  }
}

}  // namespace

VITRINE_FUZZER(literal) {
  FuzzedDataProvider input(data, size);
  const Type type = input.PickValueInArray(kTypes);
  const auto bits = input.ConsumeIntegral<std::uint64_t>();
  const std::string text = input.ConsumeRemainingBytesAsString();
  (void)expected_literal(type);
  for (const Type each : kTypes) {
    const auto typed = parse_literal(text, each);
    if (typed) check_typed_back(*typed, each);
  }
  if (type == Type::text)
    check_typed_back(text, type);
  else if (type == Type::boolean)
    check_typed_back(bits % 2 == 0, type);
  else
    check_typed_back(bits, type);
  if (type == Type::integer) check_typed_back(static_cast<std::int64_t>(bits), type);
  return 0;
}
