#include "vitrine/views/routes.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/synthetic/attached.h"
#include "tests/synthetic/random_of_test.h"
#include "tests/synthetic/sockets.h"

namespace vitrine::views {
namespace {

using base::GuestVirtual;
using synthetic::Guest;
using synthetic::GuestOptions;
using synthetic::NamedRow;
using synthetic::Observer;
using synthetic::ReaderKind;
using synthetic::rows_of;

// One table of IPv4 with 10.1.0.0/16 and 10.1.2.3 below one node, and one of IPv6.
class RoutesTest : public ::testing::TestWithParam<ReaderKind> {
 protected:
  RoutesTest() {
    guest_.add_process({.pid = 1, .comm = "init"});
    device_ = sockets_.add_interface(first_, "eth0", 2);
    hash_ = kernel().allocate(256 * 8);
    hash6_ = kernel().allocate(256 * 8);
    kernel().set(first_, "net", "ipv4.fib_table_hash", hash_.value);
    kernel().set(first_, "net", "ipv6.fib_table_hash", hash6_.value);
    trie_ = make("trie", 16);
    root_ = make("key_vector", 16);
    set_node(root_, 0x0a010000, 8, 1);
    kernel().put(trie_ + kernel().types().size("struct key_vector"), root_.value);
    table(trie_);
    table(trie_);  // another that shares it
    info_ = route(0, 0x0a010000, 16);
    kernel().set(info_, "fib_info", "fib_prefsrc", 0x0302010a);
    route(1, 0x0a010203, 0);
  }
  static GuestOptions options() {
    GuestOptions options;
    options.mapped = true;
    options.kernel.shuffle_seed = 7;
    return options;
  }
  synthetic::Kernel& kernel() { return guest_.kernel(); }
  GuestVirtual make(const std::string& type, std::uint64_t more = 0) {
    return kernel().allocate(kernel().types().size("struct " + type) + more);
  }

  void table(GuestVirtual trie) {
    const GuestVirtual at = make("fib_table");
    kernel().set(at, "fib_table", "tb_data", trie.value);
    const GuestVirtual node = kernel().member(at, "fib_table", "tb_hlist");
    kernel().put(node, kernel().get<std::uint64_t>(hash_));
    kernel().put(hash_, node.value);
  }
  void set_node(GuestVirtual node, std::uint64_t key, std::uint64_t position, std::uint64_t bits) {
    kernel().set(node, "key_vector", "key", key);
    kernel().set(node, "key_vector", "pos", position);
    kernel().set(node, "key_vector", "bits", bits);
  }
  GuestVirtual child(std::uint64_t number) {
    return kernel().member(root_, "key_vector", "tnode") + number * 8;
  }
  // A leaf with one route; its fib_info.
  GuestVirtual route(std::uint64_t number, std::uint64_t key, std::uint64_t suffix) {
    const GuestVirtual leaf = make("key_vector", 8);
    set_node(leaf, key, 0, 0);
    kernel().put(child(number), leaf.value);
    const GuestVirtual alias = make("fib_alias");
    const GuestVirtual info = make("fib_info", kernel().types().size("struct fib_nh"));
    kernel().put(kernel().member(leaf, "key_vector", "tnode"),
                 kernel().member(alias, "fib_alias", "fa_list").value);
    kernel().set(alias, "fib_alias", "fa_info", info.value);
    kernel().set(alias, "fib_alias", "fa_type", 1);
    kernel().set(alias, "fib_alias", "fa_slen", suffix);
    kernel().set(alias, "fib_alias", "tb_id", 254);
    kernel().set(info, "fib_info", "fib_nhs", 1);
    const GuestVirtual hop = kernel().member(info, "fib_info", "fib_nh");
    kernel().set(hop, "fib_nh_common", "nhc_dev", device_.value);
    return info;
  }
  GuestVirtual tree() {
    const GuestVirtual at = make("fib6_table");
    kernel().set(at, "fib6_table", "tb6_id", 255);
    kernel().put(hash6_, kernel().member(at, "fib6_table", "tb6_hlist").value);
    return kernel().member(at, "fib6_table", "tb6_root");
  }
  GuestVirtual route6(GuestVirtual node, std::uint64_t bits) {
    const GuestVirtual at = make("fib6_info", kernel().types().size("struct fib_nh"));
    kernel().set(at, "fib6_info", "fib6_type", 1);
    kernel().put(kernel().member(at, "fib6_info", "fib6_dst.addr"), std::uint64_t{0xb80d'0120});
    kernel().set(at, "fib6_info", "fib6_dst.plen", bits);
    const GuestVirtual hop = kernel().member(at, "fib6_info", "fib6_nh");
    kernel().set(hop, "fib_nh_common", "nhc_dev", device_.value);
    kernel().set(node, "fib6_node", "leaf", at.value);
    kernel().set(node, "fib6_node", "fn_flags", 4);
    return at;
  }

  std::vector<NamedRow> rows() {
    if (!view_) {
      located_.emplace(locate_kernel(guest_));
      observer_.emplace(*located_, guest_.memory(), GetParam());
      auto view = Routes::attach(*located_, guest_.memory());
      if (!view) throw std::runtime_error(to_string(view.error()));
      view_ = std::move(*view);
    }
    outcome_ = observer_->collect(*view_);
    return rows_of(*view_);
  }

  Guest guest_{options()};
  synthetic::Sockets sockets_{guest_.kernel()};
  GuestVirtual first_ = sockets_.first_namespace();
  GuestVirtual device_, hash_, hash6_, trie_, root_, info_;
  std::optional<kernel::Kernel> located_;
  std::optional<Observer> observer_;
  std::unique_ptr<View> view_;
  Outcome outcome_;
};
INSTANTIATE_TEST_SUITE_P(Readers, RoutesTest, ::testing::ValuesIn(synthetic::every_reader));

TEST_P(RoutesTest, OfATrieThatTablesShareAreShownOnce) {
  const auto all = rows();
  EXPECT_TRUE(outcome_.complete);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].text("destination"), "10.1.0.0/16");
  EXPECT_EQ(all[0].text("source"), "10.1.2.3");
  EXPECT_EQ(all[0].text("interface"), "eth0");
  EXPECT_EQ(all[0].text("table"), "main");
  EXPECT_TRUE(all[0].is_null("gateway"));
  EXPECT_EQ(all[1].text("destination"), "10.1.2.3/32");
}

TEST_P(RoutesTest, ByAGroupOfHopsAreOneRowEach) {
  const GuestVirtual group = make("nh_group", 2ULL * kernel().types().size("struct nh_grp_entry"));
  kernel().set(group, "nh_group", "num_nh", 2);
  for (std::uint64_t i = 0; i < 2; ++i) {
    const GuestVirtual hop = make("nexthop");
    const GuestVirtual info = make("nh_info");
    const GuestVirtual common = kernel().member(info, "nh_info", "fib_nhc");
    kernel().set(common, "fib_nh_common", "nhc_gw_family", 2);
    kernel().put(kernel().member(common, "fib_nh_common", "nhc_gw"), 0x0100000a + (i << 24));
    kernel().set(hop, "nexthop", "nh_info", info.value);
    kernel().set(kernel().member(group, "nh_group", "nh_entries") +
                     i * kernel().types().size("struct nh_grp_entry"),
                 "nh_grp_entry", "nh", hop.value);
  }
  const GuestVirtual object = make("nexthop");
  kernel().set(object, "nexthop", "is_group", 1);
  kernel().set(object, "nexthop", "nh_info", group.value);
  kernel().set(info_, "fib_info", "nh", object.value);
  const auto all = rows();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].text("gateway"), "10.0.0.1");
  EXPECT_EQ(all[1].text("gateway"), "10.0.0.2");
}

TEST_P(RoutesTest, OfIpv6AreFoundInTheTree) {
  const GuestVirtual root = tree();
  const GuestVirtual left = make("fib6_node");
  const GuestVirtual right = make("fib6_node");
  kernel().set(root, "fib6_node", "left", left.value);
  kernel().set(root, "fib6_node", "right", right.value);
  const GuestVirtual none = route6(root, 0);
  kernel().set(first_, "net", "ipv6.fib6_null_entry", none.value);
  route6(left, 32);
  route6(right, 48);
  kernel().set(right, "fib6_node", "fn_flags", 0);  // borrowed from below
  const auto all = rows();
  EXPECT_TRUE(outcome_.complete);
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[2].text("destination"), "2001:db8::/32");
  EXPECT_EQ(all[2].text("table"), "local");
}

// A node below itself would have bits where its own are.
TEST_P(RoutesTest, ATrieThatContainsItselfIsReported) {
  kernel().put(child(1), root_.value);
  EXPECT_EQ(rows().size(), 1U);
  EXPECT_FALSE(outcome_.complete);
}

TEST_P(RoutesTest, ATreeThatContainsItselfComesToAnEnd) {
  const GuestVirtual root = tree();
  route6(root, 32);
  kernel().set(root, "fib6_node", "left", root.value);
  kernel().set(root, "fib6_node", "right", root.value);
  EXPECT_EQ(rows().size(), 3U);
}

TEST_P(RoutesTest, WhateverTheyHoldACollectionEnds) {
  const GuestVirtual tree_root = tree();
  const GuestVirtual other = route6(tree_root, 32);
  const std::vector<GuestVirtual> objects{root_, trie_,     info_,   hash_,  hash6_,
                                          other, tree_root, device_, first_, child(0)};
  std::mt19937_64 random = synthetic::random_of_test();
  for (int round = 0; round < 80; ++round) {
    const GuestVirtual at = objects[random() % objects.size()] + random() % 16 * 8;
    const auto before = kernel().get<std::uint64_t>(at);
    kernel().put(at, random() % 2 == 0 ? random() : objects[random() % objects.size()].value);
    rows();
    EXPECT_EQ(outcome_.complete, outcome_.warnings.empty());
    kernel().put(at, before);
  }
  EXPECT_EQ(rows().size(), 3U);
}

}  // namespace
}  // namespace vitrine::views
