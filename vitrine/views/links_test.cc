#include "vitrine/views/links.h"

#include <gtest/gtest.h>

#include "tests/synthetic/attached.h"
#include "tests/synthetic/sockets.h"
#include "vitrine/views/addresses.h"
#include "vitrine/views/neighbours.h"

namespace vitrine::views {
namespace {

using base::GuestVirtual;
using synthetic::Guest;
using synthetic::GuestOptions;
using synthetic::NamedRow;
using synthetic::Observer;
using synthetic::ReaderKind;
using synthetic::rows_of;

// Interfaces with what hangs on them: counters, addresses and neighbours.
class LinksTest : public ::testing::TestWithParam<ReaderKind> {
 protected:
  LinksTest() {
    guest_.add_process({.pid = 1, .comm = "init"});
    device_ = sockets_.add_interface(first_, "eth0", 2);
    operations_ = make("net_device_ops");
    const GuestVirtual address = kernel().allocate(8);
    kernel().write(address, std::string("\x52\x54\0\x12\x34\x56", 6));
    set("dev_addr", address.value);
    set("addr_len", 6);
    set("type", 1);
    set("mtu", 1500);
    set("flags", 0x1003);
    set("operstate", 6);
    set("netdev_ops", operations_.value);
    set("stats.rx_bytes", 1000);
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
  void set(const std::string& member, std::uint64_t value) {
    kernel().set(device_, "net_device", member, value);
  }

  template <class Shown>
  std::vector<NamedRow> rows() {
    if (!located_) {
      located_.emplace(locate_kernel(guest_));
      observer_.emplace(*located_, guest_.memory(), GetParam());
    }
    auto view = Shown::attach(*located_, guest_.memory());
    if (!view) throw std::runtime_error(to_string(view.error()));
    outcome_ = observer_->collect(**view);
    return rows_of(**view);
  }

  Guest guest_{options()};
  synthetic::Sockets sockets_{guest_.kernel()};
  GuestVirtual first_ = sockets_.first_namespace();
  GuestVirtual device_, operations_;
  std::optional<kernel::Kernel> located_;
  std::optional<Observer> observer_;
  Outcome outcome_;
};
INSTANTIATE_TEST_SUITE_P(Readers, LinksTest, ::testing::ValuesIn(synthetic::every_reader));

TEST_P(LinksTest, SayWhatTheyAreAndCarried) {
  const GuestVirtual dropped = kernel().allocate_percpu(16);
  set("core_stats", dropped.value);
  for (std::uint32_t cpu = 0; cpu < 2; ++cpu)
    kernel().put(dropped + kernel().percpu_offset(cpu), std::uint64_t{3} + cpu);
  const auto all = rows<Links>();
  EXPECT_TRUE(outcome_.complete);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].text("name"), "eth0");
  EXPECT_EQ(all[0].text("type"), "ether");
  EXPECT_EQ(all[0].text("link_address"), "52:54:00:12:34:56");
  EXPECT_EQ(all[0].text("flags"), "up,broadcast,running,multicast");
  EXPECT_EQ(all[0].text("state"), "up");
  EXPECT_EQ(all[0].number("rx_bytes"), 1000U);
  EXPECT_EQ(all[0].number("rx_dropped"), 7U) << "the parts of all CPUs";
}

TEST_P(LinksTest, OfDriversThatCountOnTheirOwnHaveNoCounters) {
  kernel().set(operations_, "net_device_ops", "ndo_get_stats64", first_.value);
  const auto all = rows<Links>();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_TRUE(all[0].is_null("rx_bytes"));
  EXPECT_NE(all[0].errors.at("rx_bytes").find("driver"), std::string::npos);
}

TEST_P(LinksTest, ListsThatGoAstrayAreReported) {
  const GuestVirtual node = kernel().member(device_, "net_device", "dev_list");
  kernel().put(node, node.value);
  EXPECT_LE(rows<Links>().size(), 4U);
  EXPECT_FALSE(outcome_.complete);
}

TEST_P(LinksTest, HaveAddresses) {
  const GuestVirtual part = make("in_device");
  const GuestVirtual address = make("in_ifaddr");
  set("ip_ptr", part.value);
  kernel().set(part, "in_device", "ifa_list", address.value);
  kernel().set(address, "in_ifaddr", "ifa_local", 0x0302010a);
  kernel().set(address, "in_ifaddr", "ifa_address", 0x0302010a);
  kernel().set(address, "in_ifaddr", "ifa_prefixlen", 24);
  kernel().set(address, "in_ifaddr", "ifa_scope", 253);
  kernel().set(address, "in_ifaddr", "ifa_flags", 0x80);
  auto all = rows<Addresses>();
  EXPECT_TRUE(outcome_.complete);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].text("address"), "10.1.2.3");
  EXPECT_EQ(all[0].number("prefix_length"), 24U);
  EXPECT_EQ(all[0].text("scope"), "link");
  EXPECT_EQ(all[0].text("flags"), "permanent");
  EXPECT_TRUE(all[0].is_null("peer"));
  kernel().set(address, "in_ifaddr", "ifa_next", address.value);
  EXPECT_LE(rows<Addresses>().size(), 3U);
  EXPECT_FALSE(outcome_.complete) << "a list that contains itself";
}

TEST_P(LinksTest, KnowNeighbours) {
  const GuestVirtual hash = make("neigh_hash_table");
  const GuestVirtual heads = kernel().allocate(2 * 8);
  const GuestVirtual neighbour = make("neighbour", 16);
  kernel().set(kernel().symbol("arp_tbl"), "neigh_table", "nht", hash.value);
  kernel().set(hash, "neigh_hash_table", "hash_heads", heads.value);
  kernel().set(hash, "neigh_hash_table", "hash_shift", 1);
  const GuestVirtual node = kernel().member(neighbour, "neighbour", "hash");
  kernel().put(heads + 8, node.value);
  kernel().set(neighbour, "neighbour", "nud_state", 2);
  kernel().set(neighbour, "neighbour", "dev", device_.value);
  kernel().put(kernel().member(neighbour, "neighbour", "primary_key"), 0x0902010aU);
  kernel().write(kernel().member(neighbour, "neighbour", "ha"), "\x02\x03\x04\x05\x06\x07");
  const auto all = rows<Neighbours>();
  EXPECT_TRUE(outcome_.complete);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].text("neighbour"), "10.1.2.9");
  EXPECT_EQ(all[0].text("link_address"), "02:03:04:05:06:07");
  EXPECT_EQ(all[0].text("state"), "REACHABLE");
  EXPECT_EQ(all[0].text("interface"), "eth0");
  kernel().put(node, node.value);
  EXPECT_LE(rows<Neighbours>().size(), 3U);
  EXPECT_FALSE(outcome_.complete) << "a chain that contains itself";
}

}  // namespace
}  // namespace vitrine::views
