// Walks a maple tree, the kernel's map from ranges of numbers to pointers since 6.1: a process's
// regions of memory, interrupt descriptors, and others.
// Source: include/linux/maple_tree.h and lib/maple_tree.c (d4af56c5c7c6, 54a611b60590).
//
// A pointer to a node has the node's type in its low bits. A node has slots and, between them,
// pivots: the last number that the slot before stands for. Where it ends, its type tells, or a byte
// at its end.
//
// Bounded by the depth that the kernel itself allows and by a budget of nodes. What a node says has
// to lie within what the one above says of it: else the tree is damaged, or changed while it was
// read, and the walk ends.
//
// Thread contract: immutable. Cost: some 20 loads a node, which has 5 to 16 entries.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "vitrine/views/budget.h"
#include "vitrine/views/reader.h"
#include "vitrine/views/resolver.h"

namespace vitrine::views {

class MapleTree {
 public:
  enum class End : std::uint8_t {
    whole,
    stopped,     // the visitor wanted no more
    unreadable,  // see the reader's fault
    astray,      // damaged, or changed while it was read
  };

  // Resolves what is needed; `at` tells what is missing. Error: `inconsistent` where the guest's
  // own types say what no node can be.
  static base::Result<MapleTree> attach(Resolver& at);

  // Calls `visit(first, last, entry)` for each entry that is not null, in ascending order: it
  // stands for the numbers from `first` to `last`. A visitor that returns false ends the walk.
  // `entry` may be one of the kernel's marks instead of a pointer: see is_mark().
  template <class Visit>
  End walk(Reader& reader, base::GuestVirtual tree, Budget& nodes, Visit&& visit) const;

  // An entry that reserves a range without a pointer (xa_is_internal(), include/linux/xarray.h).
  static constexpr bool is_mark(std::uint64_t entry) { return (entry & 3) == 2; }

 private:
  static constexpr std::size_t kDeepest = 31;  // MAPLE_HEIGHT_MAX
  static constexpr std::size_t kMostSlots = 31;
  static constexpr std::uint64_t kNodeBytes = 256;

  enum class Type : std::uint8_t { dense, leaf, range, range_with_gaps };  // enum maple_type

  // Where the parts of a node of one type are, and how many of each it has.
  struct Shape {
    std::uint32_t pivots = 0, slots = 0, end = 0;  // offsets in bytes
    std::uint32_t pivot_count = 0, slot_count = 0;
  };

  // A node as read: slot i stands for what follows last[i - 1], up to last[i].
  struct Node {
    std::uint64_t first;
    std::uint32_t count;
    std::uint32_t next;
    bool leaf;
    std::array<std::uint64_t, kMostSlots> last;
    std::array<std::uint64_t, kMostSlots> slot;
  };

  bool plausible() const;

  End read(Reader& reader, std::uint64_t pointer, std::uint64_t first, std::uint64_t last,
           Node& node) const;
  template <class Object>
  static bool read_end(Object& from, const Shape& shape, Type type, std::uint64_t last,
                       std::uint32_t& end);

  std::uint32_t root_ = 0;    // of struct maple_tree
  std::uint32_t parent_ = 0;  // of struct maple_node
  Shape dense_, range_, range_with_gaps_;
};

template <class Visit>
MapleTree::End MapleTree::walk(Reader& reader, base::GuestVirtual tree, Budget& nodes,
                               Visit&& visit) const {
  constexpr std::uint64_t kRootMark = 2;  // MAPLE_ROOT_NODE
  constexpr std::uint64_t kFirstPointer = 4096;
  std::uint64_t root = 0;
  if (!reader.load(tree + root_, root)) return End::unreadable;
  if (root == 0) return End::whole;
  // A tree whose one entry stands for 0 needs no node.
  if (!is_mark(root) || root <= kFirstPointer)
    return visit(std::uint64_t{0}, std::uint64_t{0}, root) ? End::whole : End::stopped;

  std::array<Node, kDeepest> path;  // from the root to where the walk is
  if (!nodes.spend(1)) return End::astray;
  End end = read(reader, root & ~kRootMark, 0, ~std::uint64_t{0}, path[0]);
  for (std::size_t depth = 0; end == End::whole;) {
    Node& node = path[depth];
    if (node.next == node.count) {
      if (depth == 0) break;
      --depth;
      continue;
    }
    const std::uint32_t i = node.next++;
    const std::uint64_t first = i == 0 ? node.first : node.last[i - 1] + 1;
    if (!node.leaf) {
      if (++depth == kDeepest || !nodes.spend(1)) return End::astray;
      end = read(reader, node.slot[i], first, node.last[i], path[depth]);
    } else if (node.slot[i] != 0 && !visit(first, node.last[i], node.slot[i])) {
      end = End::stopped;
    }
  }
  return end;
}

// The number of a node's last slot, as ma_data_end(). False where it could not be read.
template <class Object>
bool MapleTree::read_end(Object& from, const Shape& shape, Type type, std::uint64_t last,
                         std::uint32_t& end) {
  std::uint64_t last_pivot = 0;
  std::uint8_t stored = 0;
  end = shape.pivot_count;
  if (type != Type::range_with_gaps) {
    if (!from.load(shape.pivots + (shape.pivot_count - 1) * 8, last_pivot)) return false;
    if (last_pivot == last) end = shape.pivot_count - 1;
    if (last_pivot != 0) return true;
  }
  if (!from.load(shape.end, stored)) return false;
  end = stored;
  return true;
}

}  // namespace vitrine::views
