// Goes through all pages that page tables map in a range of addresses: what is there, and what the
// guest keeps elsewhere.
//
// Each table is read once, the part of it that is of interest in one piece. The walk is bounded by
// the format's levels and by a number of tables: a guest may have one table stand for many, so that
// a range has more of them than its RAM has bytes.
//
// Thread contract: that of the reader. Cost: one load for each table.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include "vitrine/memory/physical_reader.h"
#include "vitrine/paging/walk.h"

namespace vitrine::paging {

// What one entry says of the part of the range that it stands for.
struct PageEntry {
  base::GuestVirtual address;    // where its page begins, which may be before the range
  std::uint64_t size = 0;        // bytes; a power of two
  std::uint64_t entry = 0;       // as read; never 0 where fault is none or swapped_out
  base::GuestPhysical physical;  // where the page is, if fault is none
  Fault fault = Fault::none;     // none: a page that is in memory; swapped_out: it is not, see
                                 // Format for why; any other: what is there could not be read
};

namespace detail {

// Where an entry leads; nothing where the guest keeps what it stands for elsewhere.
inline std::optional<std::uint64_t> target_of(const Format& format, std::uint64_t entry) {
  if ((entry & format.present) != 0) return format.target(entry);
  if ((entry & format.resident_when_absent) == 0) return std::nullopt;
  return format.inverted_when_absent ? ~entry & format.address_mask : format.target(entry);
}

template <memory::PhysicalReader Reader, class Visit>
bool walk_table(const Format& format, std::size_t depth, base::GuestPhysical table,
                base::GuestVirtual start, base::GuestVirtual last, Reader& reader,
                std::uint64_t& tables, Visit& visit) {
  if (tables == 0) return false;
  --tables;
  const Level& level = format.levels[depth];
  const std::uint64_t mask = (std::uint64_t{1} << level.index_bits) - 1;
  const std::uint64_t page_size = std::uint64_t{1} << level.shift;
  const std::uint64_t first = start.value >> level.shift & mask;
  const std::uint64_t count = (last.value >> level.shift & mask) - first + 1;
  std::vector<std::uint64_t> entries(count);
  const base::GuestVirtual begin(start.value & ~(page_size - 1));
  if (!reader.load_bytes(table + first * 8, std::as_writable_bytes(std::span(entries)))) {
    return visit(PageEntry{begin, page_size * count, 0, {}, fault_of(reader.status())});
  }
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t entry = entries[i];
    if (entry == 0) continue;
    const base::GuestVirtual at = begin + i * page_size;
    const std::optional<std::uint64_t> target = target_of(format, entry);
    if (!target) {
      if (!visit(PageEntry{at, page_size, entry, {}, Fault::swapped_out})) return false;
      continue;
    }
    if (depth + 1 == format.levels.size() ||
        (level.may_be_leaf && (entry & format.leaf_mask) == format.leaf)) {
      const base::GuestPhysical physical(*target & ~(page_size - 1));
      if (!visit(PageEntry{at, page_size, entry, physical, Fault::none})) return false;
      continue;
    }
    const base::GuestVirtual inner_start = std::max(start, at);
    const base::GuestVirtual inner_last = std::min(last, at + (page_size - 1));
    if (!walk_table(format, depth + 1, base::GuestPhysical(*target), inner_start, inner_last,
                    reader, tables, visit))
      return false;
  }
  return true;
}

}  // namespace detail

// Calls `visit(PageEntry)` for every entry within [start, end) that is not empty, in ascending
// order, until it returns false, or `tables`, of which each table that is read takes one, is 0;
// false then. `root`: as for walk(). REQUIRES: start < end, and both ends of the range lie in the
// same half of the address space.
template <memory::PhysicalReader Reader, class Visit>
bool walk_range(const Format& format, base::GuestPhysical root, base::GuestVirtual start,
                base::GuestVirtual end, Reader& reader, std::uint64_t& tables, Visit&& visit) {
  if (!format.canonical(start) || !format.canonical(end - 1))
    return visit(PageEntry{start, end - start, 0, {}, Fault::not_canonical});
  return detail::walk_table(format, 0, base::GuestPhysical(root.value & format.root_mask), start,
                            end - 1, reader, tables, visit);
}

}  // namespace vitrine::paging
