// Steps through the compressed names of kallsyms: each a length, then that many token numbers.
//
// Lengths of 128 and more take two bytes since 6.1 (commit 73bbb94466fd), ULEB128; before, one byte
// held up to 255. Nothing in the guest tells which, so whoever reads tries both.
//
// Thread contract: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace vitrine::kernel {

enum class NameLengths : std::uint8_t { two_bytes, one_byte };

// The token numbers of one name: names[begin, end), and the next name begins at `end`.
struct CompressedName {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// The name whose length byte is names[at]; nullopt where it does not end within `names`. An empty
// one is returned as such: begin equals end.
inline std::optional<CompressedName> compressed_name(std::span<const std::byte> names,
                                                     std::size_t at, NameLengths lengths) {
  if (at >= names.size()) return std::nullopt;
  auto length = std::to_integer<std::size_t>(names[at++]);
  if (lengths == NameLengths::two_bytes && length >= 0x80) {
    if (at >= names.size()) return std::nullopt;
    length = (length & 0x7f) | std::to_integer<std::size_t>(names[at++]) << 7;
  }
  if (length > names.size() - at) return std::nullopt;
  return CompressedName{at, at + length};
}

}  // namespace vitrine::kernel
