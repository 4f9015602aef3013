// The page-table walk: guest-virtual to guest-physical by the guest's own tables.
//
// Each entry is loaded once. The walk is bounded by the format's levels, and a table or page that
// lies outside RAM is reported, never followed: a forged entry cannot lead out of the guest.
//
// Thread contract: that of the reader. Cost: one load per level.
#pragma once

#include "vitrine/memory/physical_reader.h"
#include "vitrine/paging/format.h"

namespace vitrine::paging {

enum class Fault : std::uint8_t {
  none,
  not_canonical,  // no such address on this processor
  not_mapped,     // no entry: never touched by the guest, or not part of its address space
  swapped_out,    // the guest keeps the page elsewhere (swap, or on its way)
  outside_ram,    // an entry points outside the guest's RAM: damaged or forged
  not_populated,  // the page is a hole in the VMM's memory
  host_failed,    // the host could not read it
};

// A fault in words, e.g. "page is swapped out".
std::string_view name(Fault fault);

constexpr Fault fault_of(memory::ReadStatus status) {
  switch (status) {
    case memory::ReadStatus::ok:
      return Fault::none;
    case memory::ReadStatus::outside_ram:
      return Fault::outside_ram;
    case memory::ReadStatus::not_populated:
      return Fault::not_populated;
    case memory::ReadStatus::failed:
      return Fault::host_failed;
  }
  return Fault::host_failed;
}

struct Translation {
  base::GuestPhysical address;  // of the very byte asked for
  std::uint64_t page_size = 0;  // bytes; a power of two
  std::uint64_t entry = 0;      // the leaf entry as read
};

// Translates `address` through the tables at `root`, of which only the bits that hold an address
// count, as in CR3 (Intel SDM vol. 3, 4.5.2); Fault::none and `to` set, or the reason why not.
template <memory::PhysicalReader Reader>
Fault walk(const Format& format, base::GuestPhysical root, base::GuestVirtual address,
           Reader& reader, Translation& to) {
  if (!format.canonical(address)) return Fault::not_canonical;
  base::GuestPhysical table(root.value & format.root_mask);
  for (const Level& level : format.levels) {
    const std::uint64_t index = address.value >> level.shift & ((1u << level.index_bits) - 1);
    std::uint64_t entry = 0;
    if (!reader.load_ignoring(table + index * 8, entry, format.changing))
      return fault_of(reader.status());
    std::uint64_t target = format.target(entry);
    if ((entry & format.present) == 0) {
      if (entry == 0) return Fault::not_mapped;
      if ((entry & format.resident_when_absent) == 0) return Fault::swapped_out;
      if (format.inverted_when_absent) target = ~entry & format.address_mask;
    }
    const bool last = &level == &format.levels.back();
    if (last || (level.may_be_leaf && (entry & format.leaf_mask) == format.leaf)) {
      const std::uint64_t page_size = std::uint64_t{1} << level.shift;
      to = {base::GuestPhysical((target & ~(page_size - 1)) | (address.value & (page_size - 1))),
            page_size, entry};
      return Fault::none;
    }
    table = base::GuestPhysical(target);
  }
  return Fault::not_mapped;
}

}  // namespace vitrine::paging
