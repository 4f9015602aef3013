// Page-table formats, described as data; one walker (walk.h) follows them all.
//
// Source: Intel SDM vol. 3, 4.5 "4-level paging and 5-level paging"; Linux's software meanings of
// entries that are not present: arch/x86/include/asm/pgtable_64.h, pgtable-invert.h.
//
// Thread contract: immutable.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "vitrine/base/address.h"

namespace vitrine::paging {

// One level of tables, from the root down.
struct Level {
  unsigned shift = 0;        // an entry of this level maps 1 << shift bytes
  unsigned index_bits = 0;   // a table has 1 << index_bits entries of 8 bytes
  bool may_be_leaf = false;  // an entry can map a page itself
};

struct Format {
  std::string_view name;
  std::span<const Level> levels;
  unsigned address_bits = 0;       // virtual addresses are sign-extended from here
  std::uint64_t address_mask = 0;  // where an entry holds a physical address
  std::uint64_t present = 0;
  std::uint64_t leaf = 0;  // an entry above the last level maps a page
  std::uint64_t writable = 0;
  std::uint64_t user = 0;
  std::uint64_t no_execute = 0;
  // Linux: a page that is in memory though its entry is not present (PROT_NONE, NUMA balancing);
  // its address bits are stored inverted, against speculation (L1TF).
  std::uint64_t resident_when_absent = 0;
  // Linux: a page that is not the process's own: the page of zeros, or what a device shows.
  std::uint64_t special = 0;
  // Linux: where an entry of a page that is kept elsewhere says where: the number of the swap area,
  // or one beyond these for what is none (__swp_type()).
  unsigned swap_type_shift = 0;
  std::uint64_t swap_type_mask = 0;
  // Bits that the processor changes by itself; not part of a translation.
  std::uint64_t accessed_dirty = 0;

  bool canonical(base::GuestVirtual address) const {
    const auto sign = static_cast<std::int64_t>(address.value) >> (address_bits - 1);
    return sign == 0 || sign == -1;
  }
};

extern const Format x86_64_four_level;
extern const Format x86_64_five_level;

}  // namespace vitrine::paging
