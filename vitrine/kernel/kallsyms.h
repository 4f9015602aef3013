// The tables a kernel keeps of its own symbols (kernel/kallsyms.c, scripts/kallsyms.c), copied out
// of the guest as they stand: about 3 MB. Symbols decodes them.
//
// Reading costs the guest nothing but the technique's reads, some tens of them.
//
// Thread contract: plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "vitrine/base/address.h"
#include "vitrine/base/result.h"
#include "vitrine/kernel/vmcoreinfo.h"
#include "vitrine/memory/virtual_memory.h"

namespace vitrine::kernel {

// Where each table is in the guest.
struct KallsymsPlaces {
  base::GuestVirtual names;
  base::GuestVirtual symbol_count;  // kallsyms_num_syms
  base::GuestVirtual token_table;
  base::GuestVirtual token_index;
  base::GuestVirtual offsets;
  std::optional<base::GuestVirtual> relative_base;  // gone since 7.0
};

// All that is needed to decode the symbols, and nothing that decoding can find out itself (as the
// encoding of addresses and of lengths), so that a stored copy cannot claim it wrongly.
struct KallsymsTables {
  static constexpr std::uint32_t max_symbols = 2'000'000;
  static constexpr std::size_t max_name_table_bytes = 48U << 20;

  std::uint32_t symbols = 0;                   // kallsyms_num_syms
  base::GuestVirtual stext;                    // VMCOREINFO's, which a right decoding must yield
  base::GuestVirtual names_address;            // where kallsyms_names is in the guest
  base::GuestVirtual offsets_address;          // where kallsyms_offsets is
  std::optional<std::uint64_t> relative_base;  // kallsyms_relative_base; gone since 7.0
  std::vector<std::byte> names;                // kallsyms_names, perhaps some bytes beyond its end
  std::vector<std::byte> token_table;          // kallsyms_token_table, the last NUL included
  std::vector<std::byte> token_index;          // kallsyms_token_index, 256 times 16 bits
  std::vector<std::byte> offsets;              // kallsyms_offsets, 32 bits a symbol
};

// Copies the tables from where VMCOREINFO says they are, in whatever order they lie there; where it
// does not name them (before 6.0, commit f09bddbd8661), they are searched for: see
// kallsyms_search.h. Errors: `unsupported` where there are none, `inconsistent` where their sizes
// are beyond all bounds, and those of the memory.
base::Result<KallsymsTables> read_kallsyms(memory::VirtualMemory& memory, const Vmcoreinfo& info);

}  // namespace vitrine::kernel
