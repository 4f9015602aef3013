// Walks the kernel's xarray (lib/xarray.c, include/linux/xarray.h): a sparse array of pointers as a
// tree of nodes, of which a level covers six bits of the index (four on small machines).
//
// Writers hold its lock; it is read here without, as RCU readers do.
//
// Thread contract: immutable once attached. Cost: 64 loads a node. Bounded by the budget and by the
// tree's depth, which a forged tree can't exceed: a node covers less than the one above it.
#pragma once

#include <bit>
#include <vector>

#include "vitrine/views/budget.h"
#include "vitrine/views/reader.h"
#include "vitrine/views/resolver.h"

namespace vitrine::views {

enum class WalkEnd : std::uint8_t {
  whole,
  unreadable,  // some of it: see the reader's fault
  astray,      // some of it is damaged, forged, or changed while it was read
};

// What was found out of two walks, of which the first failure counts.
inline WalkEnd both(WalkEnd one, WalkEnd other) { return one == WalkEnd::whole ? other : one; }

// An entry, and the indexes that it stands for: more than one where it is a large one.
struct XArrayEntry {
  std::uint64_t first = 0;
  std::uint64_t count = 1;
  std::uint64_t value = 0;  // a pointer, or a number where is_number()

  bool is_number() const { return (value & 1) != 0; }  // xa_is_value()
};

class XArray {
 public:
  // Resolves what is needed; `at` tells what is missing.
  static XArray attach(Resolver& at);

  // Calls `visit(XArrayEntry)` for every entry there is, with ascending indexes. What is damaged or
  // can't be read is left out, and told at the end.
  template <class Visit>
  WalkEnd walk(Reader& reader, base::GuestVirtual array, Budget& nodes, Visit&& visit) const;

 private:
  static constexpr std::uint64_t kMaxSlots = 64;

  struct Pending {
    XArrayEntry entry;
    unsigned shift = 0;  // of the indexes that its slot covers
  };

  // Low bits 10: internal (xa_is_internal()); up to 4096 a sibling or a mark, above it a node.
  static bool is_internal(std::uint64_t value) { return (value & 3) == 2; }
  static bool is_node(std::uint64_t value) { return is_internal(value) && value > 4096; }
  static bool is_sibling_of(std::uint64_t value, std::uint64_t slot) {
    return value == (slot << 2 | 2);
  }

  WalkEnd open_node(Reader& reader, const Pending& node, std::vector<Pending>& waiting) const;

  std::uint32_t head_ = 0;               // struct xarray
  std::uint32_t shift_ = 0, slots_ = 0;  // struct xa_node
  std::uint32_t node_bytes_ = 0;
  std::uint64_t slot_count_ = 0;
};

template <class Visit>
WalkEnd XArray::walk(Reader& reader, base::GuestVirtual array, Budget& nodes, Visit&& visit) const {
  std::uint64_t head = 0;
  if (!reader.load(array + head_, head)) return WalkEnd::unreadable;
  if (head == 0) return WalkEnd::whole;
  WalkEnd end = WalkEnd::whole;
  std::vector<Pending> waiting{{{0, 1, head}, 64}};  // the lowest index last
  while (!waiting.empty()) {
    const Pending next = waiting.back();
    waiting.pop_back();
    if (!is_internal(next.entry.value)) {
      visit(next.entry);
    } else if (!is_node(next.entry.value)) {
      end = both(end, WalkEnd::astray);  // it was just being replaced (XA_RETRY_ENTRY)
    } else {
      if (!nodes.spend(1)) return WalkEnd::astray;
      end = both(end, open_node(reader, next, waiting));
    }
  }
  return end;
}

}  // namespace vitrine::views
