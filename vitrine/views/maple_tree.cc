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

MapleTree::End MapleTree::read(Reader& reader, std::uint64_t pointer, std::uint64_t first,
                               std::uint64_t last, Node& node) const {
  const base::GuestVirtual at(pointer & ~(kNodeBytes - 1));
  const std::uint64_t kind = pointer >> 3 & 0xf;
  if (kind > static_cast<std::uint64_t>(Type::range_with_gaps)) return End::astray;
  const auto type = static_cast<Type>(kind);
  const Shape& shape = type == Type::dense             ? dense_
                       : type == Type::range_with_gaps ? range_with_gaps_
                                                       : range_;
  reader.expect(at, kNodeBytes);
  Reader::Object from(reader, at, kNodeBytes);
  base::GuestVirtual parent;
  auto end =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(shape.slot_count - 1, last - first));
  if (!from.load(parent_, parent.value) ||
      (type != Type::dense && !read_end(from, shape, type, last, end)))
    return End::unreadable;
  // A node that was replaced points to itself.
  if ((parent.value & ~(kNodeBytes - 1)) == at.value || end >= shape.slot_count) return End::astray;
  node.first = first;
  node.next = 0;
  node.count = end + 1;
  node.leaf = type == Type::dense || type == Type::leaf;
  std::uint64_t from_number = first;
  for (std::uint32_t i = 0; i <= end; ++i) {
    std::uint64_t& until = node.last[i];
    until = type == Type::dense ? first + i : last;
    if (type != Type::dense && i < end) {
      if (!from.load(shape.pivots + i * 8, until)) return End::unreadable;
      if (until < from_number || until >= last) return End::astray;
      from_number = until + 1;
    }
    if (!from.load(shape.slots + i * 8, node.slot[i])) return End::unreadable;
  }
  return End::whole;
}

}  // namespace vitrine::views
