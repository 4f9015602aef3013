#include "vitrine/kernel/timekeeper.h"

#include <array>

namespace vitrine::kernel {

// Until 6.12 tk_core is an unnamed structure of a sequence counter and the timekeeper, which is
// aligned to 8; then it is a tk_data (kernel commit 10c7743dfa4a), from 6.17 on in an array
// (22c62b9a84b8).
std::optional<Timekeeper> find_timekeeper(const Kernel& kernel) {
  constexpr std::array<std::string_view, 2> kSymbols{"tk_core", "timekeeper_data"};
  const auto symbols = kernel.symbols.find(kSymbols);
  const auto in_data = kernel.types.member("tk_data", "timekeeper");
  if (symbols[1] && in_data) return Timekeeper{*symbols[1] + in_data->offset, kSymbols[1]};
  if (symbols[0]) return Timekeeper{*symbols[0] + (in_data ? in_data->offset : 8), kSymbols[0]};
  return std::nullopt;
}

}  // namespace vitrine::kernel
