#include "vitrine/views/sockets.h"

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

class SocketsTest : public ::testing::TestWithParam<ReaderKind> {
 protected:
  SocketsTest() {
    guest_.add_process({.pid = 1, .comm = "init"});
    guest_.add_process({.pid = 7, .comm = "server"});
    files_.attach(1);
    files_.attach(7);
  }
  static GuestOptions options() {
    GuestOptions options;
    options.mapped = true;
    options.kernel.shuffle_seed = 7;
    return options;
  }
  synthetic::Kernel& kernel() { return guest_.kernel(); }
  GuestVirtual node_of(GuestVirtual socket) {
    return kernel().member(socket, "sock_common", "skc_node");
  }

  std::vector<NamedRow> rows() {
    if (!view_) {
      located_.emplace(locate_kernel(guest_));
      observer_.emplace(*located_, guest_.memory(), GetParam());
      auto view = Sockets::attach(*located_, guest_.memory());
      if (!view) throw std::runtime_error(to_string(view.error()));
      view_ = std::move(*view);
    }
    outcome_ = observer_->collect(*view_);
    return rows_of(*view_);
  }
  NamedRow only() {
    auto all = rows();
    EXPECT_EQ(all.size(), 1U);
    return all.at(0);
  }

  Guest guest_{options()};
  synthetic::Files files_{guest_.kernel(), guest_.processes()};
  synthetic::Sockets sockets_{guest_.kernel()};
  GuestVirtual first_ = sockets_.first_namespace();
  std::optional<kernel::Kernel> located_;
  std::optional<Observer> observer_;
  std::unique_ptr<View> view_;
  Outcome outcome_;
};
INSTANTIATE_TEST_SUITE_P(Readers, SocketsTest, ::testing::ValuesIn(synthetic::every_reader));

TEST_P(SocketsTest, ListenAndShowWhoAcceptsTooLittle) {
  const GuestVirtual at = sockets_.listener(first_, 80);
  sockets_.set(at, "sk_ack_backlog", 3);
  sockets_.set(at, "sk_max_ack_backlog", 128);
  sockets_.set(at, "sk_uid.val", 1000);
  const NamedRow row = only();
  EXPECT_TRUE(outcome_.complete);
  EXPECT_EQ(row.text("netid"), "tcp");
  EXPECT_EQ(row.text("state"), "LISTEN");
  EXPECT_EQ(row.text("local_address"), "0.0.0.0");
  EXPECT_EQ(row.number("local_port"), 80U);
  EXPECT_TRUE(row.is_null("remote_address"));
  EXPECT_EQ(row.number("recv_q"), 3U);
  EXPECT_EQ(row.number("send_q"), 128U);
  EXPECT_EQ(row.number("uid"), 1000U);
  EXPECT_EQ(row.number("namespace"), 4026531840U);
  EXPECT_EQ(row.number("address"), at.value);
}

TEST_P(SocketsTest, OfConnectionsCountWhatIsOnItsWay) {
  const GuestVirtual at = sockets_.connection(first_, 80, 50000);
  kernel().set(at, "tcp_sock", "rcv_nxt", 3);  // past the end of its numbers
  kernel().set(at, "tcp_sock", "copied_seq", 0xfffffffe);
  kernel().set(at, "tcp_sock", "write_seq", 1000);
  kernel().set(at, "tcp_sock", "snd_una", 900);
  const NamedRow row = only();
  EXPECT_EQ(row.text("state"), "ESTAB");
  EXPECT_EQ(row.number("recv_q"), 5U);
  EXPECT_EQ(row.number("send_q"), 100U);
  EXPECT_EQ(row.text("remote_address"), "127.0.0.1");
  EXPECT_EQ(row.number("remote_port"), 50000U);
}

TEST_P(SocketsTest, OfIpv6HaveTheirAddresses) {
  const GuestVirtual at = sockets_.connection(first_, 80, 50000);
  sockets_.set(at, "skc_family", 10);
  const GuestVirtual local = kernel().member(at, "sock_common", "skc_v6_rcv_saddr");
  const GuestVirtual remote = kernel().member(at, "sock_common", "skc_v6_daddr");
  kernel().put(local, std::uint64_t{0});
  kernel().put(local + 8, std::uint64_t{0x0100'007f'ffff'0000});
  kernel().put(remote, std::uint64_t{0xb80d'0120});
  kernel().put(remote + 8, std::uint64_t{1} << 56);
  const NamedRow row = only();
  EXPECT_EQ(row.text("family"), "inet6");
  EXPECT_EQ(row.text("local_address"), "::ffff:127.0.0.1");
  EXPECT_EQ(row.text("remote_address"), "2001:db8::1");
}

// They are smaller than a socket: what lies behind them is another's.
TEST_P(SocketsTest, WithoutAnOwnerHaveNeitherQueuesNorUser) {
  const GuestVirtual waits = sockets_.connection(first_, 80, 50000, 6);
  kernel().set(waits, "inet_timewait_sock", "tw_substate", 5);
  sockets_.connection(first_, 81, 50001, 12);
  const auto all = rows();
  ASSERT_EQ(all.size(), 2U);
  for (const NamedRow& row : all)
    for (const char* column : {"recv_q", "send_q", "uid", "inode", "pid"})
      EXPECT_TRUE(row.is_null(column)) << column;
  EXPECT_EQ(all[0].text("state"), "FIN-WAIT-2");
  EXPECT_EQ(all[1].text("state"), "SYN-RECV");
}

TEST_P(SocketsTest, OfEveryFamilyAreFound) {
  const GuestVirtual other = sockets_.add_namespace(4026532000);
  sockets_.add_interface(other, "eth7", 7);
  const GuestVirtual udp = sockets_.udp(first_, 53);
  sockets_.set(udp, "sk_backlog.rmem_alloc.counter", 900);
  kernel().set(udp, "udp_sock", "forward_deficit", 100);
  sockets_.set(udp, "sk_wmem_alloc.refs.counter", 41);
  sockets_.raw(first_, 1);
  sockets_.netlink(first_, 15, 4711);
  sockets_.netlink(first_, 15, 4711 + 8);  // in the same chain
  sockets_.packet(other, 7);
  std::map<std::string, std::vector<NamedRow>> by_netid;
  for (const NamedRow& row : rows()) by_netid[row.text("netid")].push_back(row);
  EXPECT_TRUE(outcome_.complete);
  EXPECT_EQ(by_netid["udp"].at(0).number("recv_q"), 800U);
  EXPECT_EQ(by_netid["udp"].at(0).number("send_q"), 40U);
  EXPECT_EQ(by_netid["raw"].at(0).number("protocol"), 1U);
  EXPECT_TRUE(by_netid["raw"].at(0).is_null("local_port"));
  ASSERT_EQ(by_netid["nl"].size(), 2U);
  EXPECT_EQ(by_netid["nl"].at(1).text("local_address"), "uevent");
  EXPECT_EQ(by_netid["nl"].at(1).number("local_port"), 4711U);
  const NamedRow packet = by_netid["p_raw"].at(0);
  EXPECT_EQ(packet.number("namespace"), 4026532000U);
  EXPECT_EQ(packet.text("interface"), "eth7");
  EXPECT_EQ(packet.number("protocol"), 0x0806U);
}

TEST_P(SocketsTest, OfUnixHavePathsPeersAndMessages) {
  const GuestVirtual server = sockets_.local(first_, "/run/a");
  const GuestVirtual client = sockets_.local(first_, std::string("\0b\0c", 4), 2);
  kernel().set(client, "unix_sock", "peer", server.value);
  sockets_.file_behind(server, 77);
  kernel().set(sockets_.message(server, 10), "sk_buff", "cb", 0);
  sockets_.message(server, 20);
  sockets_.message(client, 30);
  sockets_.message(client, 40);
  const auto all = rows();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].text("local_address"), std::string("@b\0c", 4));
  EXPECT_EQ(all[0].text("remote_address"), "/run/a");
  EXPECT_EQ(all[0].number("peer_inode"), 77U);
  EXPECT_EQ(all[0].number("recv_q"), 40U) << "of datagrams the first";
  EXPECT_EQ(all[1].text("local_address"), "/run/a");
  EXPECT_EQ(all[1].number("recv_q"), 30U);
}

TEST_P(SocketsTest, KnowWhoHasThemOpen) {
  const GuestVirtual listed = sockets_.file_behind(sockets_.listener(first_, 80), 100);
  const GuestVirtual unlisted =
      sockets_.file_behind(sockets_.made(first_, "tcp_sock", 2, 1, 6), 101);
  files_.open(1, files_.root_mount(), files_.root_entry());
  sockets_.open(files_, 1, listed);
  sockets_.open(files_, 7, listed);
  sockets_.open(files_, 7, unlisted);
  sockets_.open(files_, 7, unlisted);
  const auto all = rows();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].number("inode"), 100U);
  EXPECT_EQ(all[0].number("pid"), 1U);
  EXPECT_EQ(all[0].text("comm"), "init");
  EXPECT_EQ(all[0].number("fd"), 1U);
  EXPECT_EQ(all[0].number("owners"), 2U);
  EXPECT_EQ(all[1].number("inode"), 101U);
  EXPECT_EQ(all[1].text("netid"), "tcp");
  EXPECT_EQ(all[1].number("pid"), 7U);
  EXPECT_EQ(all[1].number("owners"), 2U);
  EXPECT_TRUE(all[1].is_null("local_address"));
}

TEST_P(SocketsTest, ThatMovedMeanwhileAreShownOnce) {
  const GuestVirtual at = sockets_.connection(first_, 80, 50000);
  kernel().put(sockets_.chain_of(81), node_of(at).value);
  EXPECT_EQ(rows().size(), 1U);
  EXPECT_FALSE(outcome_.complete) << "the second chain ends with the first one's mark";
}

TEST_P(SocketsTest, ChainsThatGoAstrayAreReported) {
  const GuestVirtual one = sockets_.connection(first_, 80, 50000);
  const GuestVirtual two = sockets_.connection(first_, 88, 50001);  // before it, in the same chain
  kernel().put(node_of(one), node_of(two).value);
  EXPECT_EQ(rows().size(), 2U);
  EXPECT_FALSE(outcome_.complete);
  ASSERT_EQ(outcome_.warnings.size(), 1U);
  EXPECT_NE(outcome_.warnings[0].find("TCP"), std::string::npos);
}

TEST_P(SocketsTest, TablesOfForgedSizeAreReported) {
  sockets_.udp(first_, 53);
  kernel().set(kernel().symbol("tcp_hashinfo"), "inet_hashinfo", "ehash_mask", 0xffffffff);
  EXPECT_EQ(rows().size(), 1U);
  EXPECT_FALSE(outcome_.complete);
}

TEST_P(SocketsTest, AnEndlessQueueIsReported) {
  const GuestVirtual at = sockets_.local(first_, "/run/a");
  const GuestVirtual message = sockets_.message(at, 10);
  kernel().set(message, "sk_buff", "next", message.value);
  const NamedRow row = only();
  EXPECT_TRUE(row.is_null("recv_q"));
  EXPECT_TRUE(row.errors.contains("recv_q"));
  EXPECT_EQ(row.text("local_address"), "/run/a");
}

TEST_P(SocketsTest, WhateverTheyHoldACollectionEnds) {
  const GuestVirtual listener = sockets_.listener(first_, 80);
  const GuestVirtual connection = sockets_.connection(first_, 80, 50000);
  const GuestVirtual local = sockets_.local(first_, "/run/a");
  const GuestVirtual message = sockets_.message(local, 10);
  const GuestVirtual netlink = sockets_.netlink(first_, 15, 4711);
  const GuestVirtual file = sockets_.open(files_, 1, sockets_.file_behind(listener, 100));
  const std::vector<GuestVirtual> objects{listener,
                                          connection,
                                          local,
                                          message,
                                          netlink,
                                          file,
                                          first_,
                                          kernel().symbol("tcp_hashinfo"),
                                          kernel().symbol("udp_table"),
                                          kernel().symbol("nl_table"),
                                          node_of(listener),
                                          node_of(connection),
                                          node_of(local)};
  std::mt19937_64 random = synthetic::random_of_test();
  for (int round = 0; round < 100; ++round) {
    const GuestVirtual at = objects[random() % objects.size()] + random() % 32 * 8;
    const auto before = kernel().get<std::uint64_t>(at);
    kernel().put(at, random() % 2 == 0 ? random() : objects[random() % objects.size()].value);
    rows();
    EXPECT_EQ(outcome_.complete, outcome_.warnings.empty());
    kernel().put(at, before);
  }
  EXPECT_EQ(rows().size(), 4U);
  EXPECT_TRUE(outcome_.complete);
}

}  // namespace
}  // namespace vitrine::views
