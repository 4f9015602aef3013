#include "vitrine/views/maple_tree.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/synthetic/attached.h"
#include "tests/synthetic/maple_tree.h"

namespace vitrine::views {
namespace {

using base::GuestVirtual;
using synthetic::Guest;
using synthetic::MapleEntry;
using synthetic::MapleType;

constexpr std::uint64_t kLastIndex = ~std::uint64_t{0};

class MapleTreeTest : public ::testing::Test {
 protected:
  MapleTreeTest() {
    guest_.add_process({.pid = 1, .comm = "init"});
    tree_ = kernel().allocate(kernel().types().size("struct maple_tree"));
    located_.emplace(synthetic::locate_kernel(guest_));
    physical_.emplace(guest_.memory());
    reader_.emplace(located_->space, *physical_);
  }
  synthetic::Kernel& kernel() { return guest_.kernel(); }

  // "FIRST-LAST:VALUE …" in the order in which they are visited.
  std::string walk(std::uint64_t nodes = 1000) {
    Resolver at(located_->types);
    const auto tree = MapleTree::attach(at);
    if (!tree || at.error()) throw std::runtime_error("cannot attach");
    Budget budget(nodes);
    std::string text;
    reader_->begin();
    entries_ = 0;
    end_ = tree->walk(*reader_, tree_, budget,
                      [&](std::uint64_t first, std::uint64_t last, std::uint64_t value) {
                        text += std::to_string(first) + "-" + std::to_string(last) + ":" +
                                std::to_string(value) + " ";
                        return ++entries_ < stop_after_;
                      });
    return text;
  }
  void set_root(std::uint64_t value) { kernel().set(tree_, "maple_tree", "ma_root", value); }

  Guest guest_;
  synthetic::MapleTrees trees_{guest_.kernel()};
  GuestVirtual tree_;
  std::optional<kernel::Kernel> located_;
  std::optional<memory::Reader> physical_;
  std::optional<Reader> reader_;
  MapleTree::End end_ = MapleTree::End::whole;
  std::size_t entries_ = 0;
  std::size_t stop_after_ = kLastIndex;
};

TEST_F(MapleTreeTest, AnEmptyOneHasNothing) {
  EXPECT_EQ(walk(), "");
  EXPECT_EQ(end_, MapleTree::End::whole);
}

TEST_F(MapleTreeTest, AnEntryForZeroNeedsNoNode) {
  set_root(0xffff888000001000);
  EXPECT_EQ(walk(), "0-0:" + std::to_string(0xffff888000001000) + " ");
}

TEST_F(MapleTreeTest, OfAnyDepthIsWalkedInOrder) {
  std::vector<MapleEntry> entries;
  std::string expected;
  for (std::uint64_t i = 1; i <= 300; ++i) {
    entries.push_back({i * 10, i * 10 + 8, i * 8});
    expected += std::to_string(i * 10) + "-" + std::to_string(i * 10 + 8) + ":" +
                std::to_string(i * 8) + " ";
  }
  for (const std::size_t slots : {3U, 5U, 10U}) {
    trees_.build(tree_, entries, slots);
    EXPECT_EQ(walk(), expected) << slots;
    EXPECT_EQ(end_, MapleTree::End::whole);
  }
  stop_after_ = 4;
  walk();
  EXPECT_EQ(entries_, 4U);
  EXPECT_EQ(end_, MapleTree::End::stopped);
}

// A leaf of 16 slots has no number of its last one; of 15, its last pivot tells; of fewer, a byte.
TEST_F(MapleTreeTest, NodesEndWhereTheyAreFull) {
  for (std::uint64_t count = 1; count <= 16; ++count) {
    std::vector<MapleEntry> slots;
    std::string expected;
    for (std::uint64_t i = 0; i < count; ++i) {
      slots.push_back({i * 10, i + 1 == count ? kLastIndex : i * 10 + 9, i * 8 + 8});
      expected += std::to_string(i * 10) + "-" + std::to_string(slots.back().last) + ":" +
                  std::to_string(i * 8 + 8) + " ";
    }
    trees_.set_root(tree_, trees_.node(MapleType::leaf, slots), MapleType::leaf);
    EXPECT_EQ(walk(), expected) << count;
    EXPECT_EQ(end_, MapleTree::End::whole);
  }
}

TEST_F(MapleTreeTest, DenseNodesHaveASlotForEachNumber) {
  const GuestVirtual dense = trees_.node(MapleType::dense, {{0, 0, 8}, {1, 1, 0}, {2, 2, 16}});
  const GuestVirtual root =
      trees_.node(MapleType::range, {{0, 2, trees_.pointer(dense, MapleType::dense)},
                                     {3, kLastIndex, trees_.pointer(dense, MapleType::dense)}});
  trees_.set_root(tree_, root, MapleType::range);
  EXPECT_EQ(walk(), "0-0:8 2-2:16 3-3:8 5-5:16 ");
  EXPECT_EQ(end_, MapleTree::End::whole);
}

TEST_F(MapleTreeTest, DamagedOnesComeToAnEnd) {
  const auto expect_astray = [&](const char* what) {
    walk();
    EXPECT_EQ(end_, MapleTree::End::astray) << what;
  };
  const GuestVirtual leaf = trees_.node(MapleType::leaf, {{0, 9, 8}, {10, kLastIndex, 16}});
  trees_.set_root(tree_, leaf, MapleType::leaf);
  EXPECT_EQ(walk(), "0-9:8 10-" + std::to_string(kLastIndex) + ":16 ");
  kernel().set(leaf, "maple_node", "parent", leaf.value);
  expect_astray("a node that was replaced");
  kernel().set(leaf, "maple_node", "parent", 1);
  kernel().set(leaf, "maple_range_64", "meta.end", 16);
  expect_astray("more slots than a node has");
  kernel().set(leaf, "maple_range_64", "meta.end", 2);
  expect_astray("a slot for nothing");
  kernel().set(leaf, "maple_range_64", "meta.end", 1);
  set_root(leaf.value | 9 << 3 | 6);
  expect_astray("an unknown type");
  // A node that contains itself: each range fits, but it never ends.
  const GuestVirtual ring = trees_.node(MapleType::range_with_gaps, {{0, kLastIndex, 0}});
  kernel().put(kernel().member(ring, "maple_arange_64", "slot"),
               trees_.pointer(ring, MapleType::range_with_gaps));
  trees_.set_root(tree_, ring, MapleType::range_with_gaps);
  expect_astray("a ring");
  const GuestVirtual low = trees_.node(MapleType::leaf, {{0, 50, 8}, {51, 99, 16}});
  const GuestVirtual root = trees_.node(MapleType::range_with_gaps,
                                        {{0, 20, trees_.pointer(low, MapleType::leaf)},
                                         {21, kLastIndex, trees_.pointer(low, MapleType::leaf)}});
  trees_.set_root(tree_, root, MapleType::range_with_gaps);
  expect_astray("a node that reaches beyond its place");
  trees_.set_root(tree_, GuestVirtual(0x1000), MapleType::leaf);
  walk();
  EXPECT_EQ(end_, MapleTree::End::unreadable);
}

TEST_F(MapleTreeTest, ABudgetEndsTheWalk) {
  std::vector<MapleEntry> entries;
  for (std::uint64_t i = 1; i <= 100; ++i) entries.push_back({i * 10, i * 10, 8});
  trees_.build(tree_, entries);
  walk(10);
  EXPECT_EQ(end_, MapleTree::End::astray);
}

TEST_F(MapleTreeTest, WhateverItHoldsAWalkEnds) {
  std::vector<MapleEntry> entries;
  for (std::uint64_t i = 1; i <= 60; ++i) entries.push_back({i * 10, i * 10 + 5, i * 8});
  const std::vector<GuestVirtual> nodes = trees_.build(tree_, entries, 4);
  std::mt19937_64 random(7);
  for (int round = 0; round < 2000; ++round) {
    const GuestVirtual at = nodes[random() % nodes.size()] + random() % 32 * 8;
    const auto before = kernel().get<std::uint64_t>(at);
    const GuestVirtual other = nodes[random() % nodes.size()];
    kernel().put(at, random() % 2 == 0 ? random() % 1000
                                       : synthetic::MapleTrees::pointer(
                                             other, static_cast<MapleType>(random() % 4)));
    walk();
    EXPECT_LE(entries_, 31U * 1000U);
    kernel().put(at, before);
  }
  walk();
  EXPECT_EQ(entries_, 60U);
}

}  // namespace
}  // namespace vitrine::views
