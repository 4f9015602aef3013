// Page-table formats, described as data; one walker (walk.h) follows them all.
//
// Sources: Intel SDM vol. 3, 4.5 "4-level paging and 5-level paging"; Arm Architecture Reference
// Manual (DDI 0487), D8.3 "Translation table descriptor formats". Linux's software meanings of
// entries that are not present: arch/x86/include/asm/pgtable_64.h, pgtable-invert.h;
// arch/arm64/include/asm/pgtable-prot.h.
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
  unsigned address_bits = 0;    // the bits of a virtual address above the lowest ones are all equal
  std::uint64_t root_mask = 0;  // where what points to the root holds its address
  std::uint64_t address_mask = 0;       // where an entry holds a physical address
  std::uint64_t high_address_mask = 0;  // where it holds the highest bits of one, if elsewhere
  unsigned high_address_shift = 0;      // by how much these are to be moved up
  std::uint64_t present = 0;
  // An entry above the last level maps a page where these bits are `leaf`.
  std::uint64_t leaf_mask = 0;
  std::uint64_t leaf = 0;
  // What an entry allows, as far as the format has a bit for it.
  std::uint64_t writable = 0;
  std::uint64_t read_only = 0;
  std::uint64_t user = 0;
  std::uint64_t no_execute = 0;  // in user mode
  std::uint64_t accessed = 0;
  std::uint64_t dirty = 0;
  std::uint64_t global = 0;
  // Linux: a page that is in memory though its entry is not present (PROT_NONE, NUMA balancing).
  std::uint64_t resident_when_absent = 0;
  // Linux: a page that is not the process's own: the page of zeros, or what a device shows.
  std::uint64_t special = 0;
  // Linux: where an entry of a page that is kept elsewhere says where: the number of the swap area,
  // or one beyond these for what is none (__swp_type()).
  unsigned swap_type_shift = 0;
  std::uint64_t swap_type_mask = 0;
  // Bits that the processor changes by itself; not part of a translation.
  std::uint64_t changing = 0;
  bool inverted_when_absent = false;  // its address bits are inverted, against speculation (L1TF)
  // Each half of the addresses has a root of its own: the kernel's does not map the lower one.
  bool halves_apart = false;

  // Whether such an address exists on the processor.
  bool canonical(base::GuestVirtual address) const {
    const auto sign = static_cast<std::int64_t>(address.value) >> address_bits;
    return sign == 0 || sign == -1;
  }
  // Whether the kernel's own root says something of the address.
  bool kernel_maps(base::GuestVirtual address) const {
    return !halves_apart || address.value >> 63 != 0;
  }
  std::uint64_t target(std::uint64_t entry) const {
    return (entry & address_mask) | (entry & high_address_mask) << high_address_shift;
  }
};

extern const Format x86_64_four_level;
extern const Format x86_64_five_level;

// That of an arm64 kernel with pages of that size and that many bits of virtual address; null where
// there is none such.
const Format* arm64_format(std::uint64_t page_bytes, unsigned address_bits);

// The format of that name; null where there is none.
const Format* find_format(std::string_view name);

inline bool is_x86(const Format& format) {
  return &format == &x86_64_four_level || &format == &x86_64_five_level;
}

}  // namespace vitrine::paging
