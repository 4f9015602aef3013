// Maple trees in a synthetic guest's memory, built of small nodes so that few entries make several
// levels.
//
// Thread contract: one thread at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "tests/synthetic/kernel.h"

namespace vitrine::synthetic {

// A range of numbers, its last included, and what it stands for.
struct MapleEntry {
  std::uint64_t first = 0, last = 0;
  std::uint64_t value = 0;
};

enum class MapleType : std::uint8_t { dense, leaf, range, range_with_gaps };

class MapleTrees {
 public:
  explicit MapleTrees(Kernel& kernel) : kernel_(kernel) {}

  // A node of slots that each go up to `last`; the node's own last is the greatest. Pivots are
  // written as the kernel does: the last one only where there is room, the number of the last slot
  // only where there is no room for a pivot.
  GuestVirtual node(MapleType type, const std::vector<MapleEntry>& slots);
  // The pointer to a node, as a slot has it.
  static std::uint64_t pointer(GuestVirtual node, MapleType type) {
    return node.value | static_cast<std::uint64_t>(type) << 3 | 4;
  }
  // Makes a node the root of a struct maple_tree.
  void set_root(GuestVirtual tree, GuestVirtual node, MapleType type) {
    kernel_.set(tree, "maple_tree", "ma_root", pointer(node, type) | 2);
  }

  // A whole tree of ascending entries, with gaps between them. Returns its nodes, the root last.
  std::vector<GuestVirtual> build(GuestVirtual tree, const std::vector<MapleEntry>& entries,
                                  std::size_t slots_per_node = 5);

 private:
  Kernel& kernel_;
};

}  // namespace vitrine::synthetic
