#include "tests/synthetic/maple_tree.h"

#include <algorithm>

namespace vitrine::synthetic {
namespace {

constexpr std::uint64_t node_bytes = 256;
constexpr std::uint64_t everything = ~std::uint64_t{0};

}  // namespace

GuestVirtual MapleTrees::node(MapleType type, const std::vector<MapleEntry>& slots) {
  const GuestVirtual room = kernel_.allocate(2 * node_bytes);
  const GuestVirtual node((room.value + node_bytes - 1) & ~(node_bytes - 1));
  kernel_.set(node, "maple_node", "parent", 1);
  const char* kind = type == MapleType::dense             ? "maple_node"
                     : type == MapleType::range_with_gaps ? "maple_arange_64"
                                                          : "maple_range_64";
  const GuestVirtual first_slot = kernel_.member(node, kind, "slot");
  for (std::size_t i = 0; i < slots.size(); ++i) kernel_.put(first_slot + i * 8, slots[i].value);
  if (type == MapleType::dense) return node;
  const std::size_t pivots = type == MapleType::range_with_gaps ? 9 : 15;
  const GuestVirtual first_pivot = kernel_.member(node, kind, "pivot");
  for (std::size_t i = 0; i < std::min(slots.size(), pivots); ++i)
    kernel_.put(first_pivot + i * 8, slots[i].last);
  if (type == MapleType::range_with_gaps || slots.size() < pivots)
    kernel_.set(node, kind, "meta.end", slots.size() - 1);
  return node;
}

std::vector<GuestVirtual> MapleTrees::build(GuestVirtual tree,
                                            const std::vector<MapleEntry>& entries,
                                            std::size_t slots_per_node) {
  std::vector<MapleEntry> level;
  std::uint64_t next = 0;
  for (const MapleEntry& entry : entries) {
    if (entry.first > next) level.push_back({next, entry.first - 1, 0});
    level.push_back(entry);
    next = entry.last + 1;
  }
  if (next != 0) level.push_back({next, everything, 0});
  std::vector<GuestVirtual> nodes;
  MapleType type = MapleType::leaf;
  while (true) {
    std::vector<MapleEntry> above;
    for (std::size_t i = 0; i < level.size(); i += slots_per_node) {
      const std::size_t end = std::min(level.size(), i + slots_per_node);
      const std::vector<MapleEntry> slots(level.begin() + static_cast<std::ptrdiff_t>(i),
                                          level.begin() + static_cast<std::ptrdiff_t>(end));
      nodes.push_back(node(type, slots));
      above.push_back({slots.front().first, slots.back().last, pointer(nodes.back(), type)});
    }
    if (above.size() == 1) break;
    level = std::move(above);
    type = MapleType::range_with_gaps;
  }
  set_root(tree, nodes.back(), type);
  return nodes;
}

}  // namespace vitrine::synthetic
