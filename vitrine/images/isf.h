// Volatility 3's Intermediate Symbol Format, version 6.2.0: a kernel's types and symbols as JSON,
// which Volatility otherwise needs debug symbols and dwarf2json for. Volatility takes a file for a
// memory image's kernel if the image holds the banner that the file holds.
//
// What a guest does not say of itself is missing: BTF has the types of few variables (see
// kernel/variable_types.h), those of others are void. Structures that are only declared are void,
// too. Typedefs are looked through, as dwarf2json does.
//
// The document is written piece by piece, an entry a line: it is larger than all that it is made
// of. Keys are unique: of several symbols of one name, the first global one is told, else the
// first.
//
// Thread contract: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "vitrine/images/text_output.h"
#include "vitrine/kernel/symbol_list.h"
#include "vitrine/kernel/types.h"

namespace vitrine::images {

struct IsfSource {
  std::string release;  // of the kernel
  // How far KASLR moved the kernel: the format has addresses as they were linked.
  std::uint64_t kernel_offset = 0;
  std::optional<std::string> banner = {};  // with all of its bytes, see kernel/banner.h
  std::string producer_version;            // of this tool
};

struct IsfCounts {
  std::size_t symbols = 0;
  std::size_t user_types = 0;
  std::size_t enums = 0;
};

// Sorts `symbols`. Errors show in `output`.
IsfCounts write_isf(const IsfSource& source, const kernel::Types& types,
                    kernel::SymbolList& symbols, TextOutput& output);

}  // namespace vitrine::images
