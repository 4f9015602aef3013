#include "vitrine/images/system_map.h"

#include <fmt/format.h>

#include <algorithm>

namespace vitrine::images {
namespace {

bool is_plain(char c) { return c > ' ' && c < 0x7f && c != '\\'; }

std::string word(std::string_view name) {
  if (std::ranges::all_of(name, is_plain)) return std::string(name);
  std::string text;
  for (const char c : name)
    text += is_plain(c)
                ? std::string(1, c)
                : fmt::format("\\x{:02x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
  return text;
}

}  // namespace

void write_system_map(kernel::SymbolList& symbols, std::uint64_t offset, TextOutput& output) {
  symbols.sort_by_address();
  for (std::size_t i = 0; i < symbols.size() && !output.failed(); ++i) {
    const kernel::ListedSymbol symbol = symbols[i];
    output.put(fmt::format("{:016x} {} {}\n", kernel::as_linked(symbol.address, offset).value,
                           symbol.kind, word(symbol.name)));
  }
}

}  // namespace vitrine::images
