#include "vitrine/views/maple_tree.h"

namespace vitrine::views {

base::Result<MapleTree> MapleTree::attach(Resolver& at) {
  const auto shape = [&at](std::string_view type) {
    const kernel::Member pivots = at.member(type, "pivot");
    const kernel::Member slots = at.member(type, "slot");
    return Shape{static_cast<std::uint32_t>(pivots.offset),
                 static_cast<std::uint32_t>(slots.offset), at(type, "meta.end"),
                 pivots.element_count, slots.element_count};
  };
  MapleTree tree;
  tree.root_ = at("maple_tree", "ma_root");
  tree.parent_ = at("maple_node", "parent");
  tree.range_ = shape("maple_range_64");
  tree.range_with_gaps_ = shape("maple_arange_64");
  const kernel::Member dense = at.member("maple_node", "slot");
  tree.dense_.slots = static_cast<std::uint32_t>(dense.offset);
  tree.dense_.slot_count = dense.element_count;
  if (!at.error() && !tree.plausible())
    return base::fail(base::Code::inconsistent,
                      "the nodes of this kernel's maple trees are none that are known");
  return tree;
}

// Whether all that is read of a node lies within it.
bool MapleTree::plausible() const {
  const auto fits = [](std::uint64_t offset, std::uint64_t count) {
    return offset < kNodeBytes && count <= kMostSlots && offset + 8 * count <= kNodeBytes;
  };
  for (const Shape& shape : {range_, range_with_gaps_})
    if (shape.pivot_count == 0 || shape.slot_count != shape.pivot_count + 1 ||
        !fits(shape.pivots, shape.pivot_count) || !fits(shape.slots, shape.slot_count) ||
        shape.end >= kNodeBytes)
      return false;
  return dense_.slot_count != 0 && fits(dense_.slots, dense_.slot_count) && fits(parent_, 1);
}

}  // namespace vitrine::views
