// The kernel's symbol tables as scripts/kallsyms.c writes them: names compressed with a table of
// 256 tokens, and addresses in one of the encodings kernels have had.
//
// Thread contract: pure functions.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "vitrine/base/address.h"

namespace vitrine::synthetic {

struct Symbol {
  std::string name;
  std::uint64_t address = 0;
  char type = 'T';
};

enum class SymbolEncoding {
  absolute_percpu,  // 32 bits: not negative is absolute, else base - 1 - value
  base_relative,    // 32 bits, unsigned, to be added to the base
  place_relative,   // 32 bits, signed, to be added to the entry's own address
};

enum class NameLengths {
  one_byte,  // up to 255 tokens
  uleb128,   // two bytes where more than 127 tokens, from commit 73bbb94466fd
};

struct Kallsyms {
  std::vector<std::byte> bytes;
  std::map<std::string, base::GuestVirtual> tables;  // kallsyms_names, ... and where each is
};

// The tables for `symbols` (sorted here by address, as the kernel's are), to be placed at `at`,
// 8-byte aligned. The offsets come first, or with `offsets_last` in the order kernels have since
// commit 404bad70fcf7.
Kallsyms build_kallsyms(std::vector<Symbol> symbols, SymbolEncoding encoding, NameLengths lengths,
                        bool offsets_last, base::GuestVirtual at);

}  // namespace vitrine::synthetic
