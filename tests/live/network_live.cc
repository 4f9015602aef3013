// The views of the network (ip) against the guest's own answers, in two namespaces.
#include <arpa/inet.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "tests/live/view_test.h"

namespace vitrine::live {
namespace {

using nlohmann::json;
using Lines = std::multiset<std::string>;

Lines spaced_lines(const std::string& text) {
  Lines lines;
  std::istringstream all(text);
  for (std::string line; std::getline(all, line);) {
    std::istringstream words(line);
    std::string spaced;
    for (std::string word; words >> word;) spaced += (spaced.empty() ? "" : " ") + word;
    if (!spaced.empty()) lines.insert(spaced);
  }
  return lines;
}

std::string word_of(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.is_null() ? "-" : value.dump();
}

// A command of the guest's, in the network namespace of a process.
std::string in_namespace(Guest& guest, const std::string& pid, const std::string& command) {
  return guest.run("nsenter -t " + pid + " -n " + command);
}

// As "ip -o addr" says them: ADDRESS/BITS, or ADDRESS peer PEER/BITS.
Lines addresses_of(const json& rows) {
  Lines lines;
  for (const json& row : rows) {
    std::string line = word_of(row.at("family")) + " " + word_of(row.at("address"));
    if (!row.at("peer").is_null()) line += " peer " + word_of(row.at("peer"));
    line += "/" + word_of(row.at("prefix_length"));
    if (!row.at("broadcast").is_null()) line += " brd " + word_of(row.at("broadcast"));
    line += " scope " + word_of(row.at("scope"));
    if (!row.at("label").is_null()) line += " " + word_of(row.at("label"));
    lines.insert(line);
  }
  return lines;
}

// As "ip route" says those of IPv4.
Lines routes_of(const json& rows, const std::string& table) {
  Lines lines;
  for (const json& row : rows) {
    if (row.at("family") != "inet" || row.at("table") != table) continue;
    std::string line = row.at("type") == "unicast" ? "" : word_of(row.at("type")) + " ";
    const std::string to = row.at("destination");
    line += to.ends_with("/32") ? to.substr(0, to.size() - 3) : to;
    if (!row.at("gateway").is_null()) line += " via " + word_of(row.at("gateway"));
    if (!row.at("interface").is_null()) line += " dev " + word_of(row.at("interface"));
    if (row.at("scope") != "global") line += " scope " + word_of(row.at("scope"));
    if (row.at("metric") != 0) line += " metric " + word_of(row.at("metric"));
    if (!row.at("source").is_null()) line += " src " + word_of(row.at("source"));
    lines.insert(line);
  }
  return lines;
}

// "ADDRESS/BITS METRIC INTERFACE" of /proc/net/ipv6_route.
Lines own_inet6_routes(const std::string& table) {
  Lines lines;
  std::istringstream all(table);
  for (std::string line; std::getline(all, line);) {
    std::istringstream words(line);
    std::array<std::string, 10> word;
    for (std::string& next : word) words >> next;
    // What is where there is no default route.
    if (word[5] == "ffffffff" && word[1] == "00") continue;
    std::array<unsigned char, 16> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i)
      bytes.at(i) = static_cast<unsigned char>(std::stoul(word[0].substr(2 * i, 2), nullptr, 16));
    std::array<char, 64> address{};
    inet_ntop(AF_INET6, bytes.data(), address.data(), address.size());
    lines.insert(std::string(address.data()) + "/" +
                 std::to_string(std::stoul(word[1], nullptr, 16)) + " " +
                 std::to_string(std::stoul(word[5], nullptr, 16)) + " " + word[9]);
  }
  return lines;
}

Lines inet6_routes_of(const json& rows) {
  Lines lines;
  for (const json& row : rows)
    if (row.at("family") == "inet6")
      lines.insert(word_of(row.at("destination")) + " " + word_of(row.at("metric")) + " " +
                   word_of(row.at("interface")));
  return lines;
}

// The counters of /proc/net/dev, as far as the view has them.
void expect_counters(const json& row, const std::string& table) {
  std::istringstream words(table.substr(table.find("lo:") + 3));
  std::array<std::uint64_t, 16> counters{};
  for (std::uint64_t& counter : counters) words >> counter;
  EXPECT_EQ(row.at("rx_bytes"), counters[0]);
  EXPECT_EQ(row.at("rx_packets"), counters[1]);
  EXPECT_EQ(row.at("rx_errors"), counters[2]);
  EXPECT_EQ(row.at("rx_dropped"), counters[3]);
  EXPECT_EQ(row.at("tx_bytes"), counters[8]);
  EXPECT_EQ(row.at("tx_packets"), counters[9]);
  EXPECT_EQ(row.at("tx_errors"), counters[10]);
  EXPECT_EQ(row.at("tx_dropped"), counters[11]);
  EXPECT_GT(counters[0], 0U);
}

// "ADDRESS dev INTERFACE lladdr ADDRESS STATE".
Lines neighbours_of(const json& rows) {
  Lines lines;
  for (const json& row : rows)
    lines.insert(word_of(row.at("neighbour")) + " dev " + word_of(row.at("interface")) +
                 " lladdr " + word_of(row.at("link_address")) + " " + word_of(row.at("state")));
  return lines;
}

class NetworkTest : public ViewTest {};

TEST_P(NetworkTest, IsWhatTheGuestsOwnToolsShow) {
  Guest& guest = this->guest();
  guest.run(
      "ip link set lo up; ip addr add 10.1.2.3/24 broadcast 10.1.2.255 label lo:x dev lo; "
      "ip addr add 10.5.0.1 peer 10.5.0.2 dev lo; ip -6 addr add 2001:db8::1/64 dev lo; "
      "ip route add 10.9.0.0/16 via 10.1.2.9 dev lo metric 7; ip route add blackhole 10.7.0.0/16; "
      "ip route add 10.8.0.0/16 dev lo table 100; ip -6 route add 2001:db8:9::/48 dev lo; "
      "ping -c 3 10.1.2.3");
  const std::string other = guest.run(
      "unshare -n sh -c 'ip link set lo up; ip addr add 192.0.2.1/30 dev lo; ping -c 1 192.0.2.2; "
      "exec sleep 1000' >/dev/null 2>&1 & sleep 3; echo -n $!");
  const json addresses = vitrine_json({"ip", guest.name()}).at("rows");
  const json links = vitrine_json({"ip", guest.name(), "link"}).at("rows");
  const json routes = vitrine_json({"ip", guest.name(), "route"}).at("rows");
  const json neighbours = vitrine_json({"ip", guest.name(), "neigh"}).at("rows");
  for (const std::string& pid : {std::string("1"), other}) {
    EXPECT_EQ(neighbours_of(rows_of_namespace(neighbours, guest, pid)),
              spaced_lines(in_namespace(guest, pid,
                                        "ip neigh show nud noarp | sed 's/used.*probes [0-9]*//'")))
        << pid;
    EXPECT_EQ(addresses_of(rows_of_namespace(addresses, guest, pid)),
              spaced_lines(in_namespace(guest, pid,
                                        "ip -o addr | sed 's/^[0-9]*: *lo *//; s/.       "
                                        "valid_lft.*//'")))
        << pid;
    const json of_one = rows_of_namespace(routes, guest, pid);
    for (const auto& [name, number] : {std::pair("main", "254"), {"local", "255"}, {"100", "100"}})
      EXPECT_EQ(
          routes_of(of_one, name),
          spaced_lines(in_namespace(guest, pid, std::string("ip route show table ") + number)))
          << pid << " " << name;
    EXPECT_EQ(inet6_routes_of(of_one),
              own_inet6_routes(guest.run("cat /proc/" + pid + "/net/ipv6_route")))
        << pid;
    const json of_loopback = rows_of_namespace(links, guest, pid);
    ASSERT_EQ(of_loopback.size(), 1U);
    EXPECT_EQ(of_loopback[0].at("name"), "lo");
    EXPECT_EQ(of_loopback[0].at("type"), "loopback");
    EXPECT_EQ(of_loopback[0].at("mtu_bytes"), 65536);
    EXPECT_EQ(of_loopback[0].at("flags"), "up,loopback,running");
    expect_counters(of_loopback[0], guest.run("cat /proc/" + pid + "/net/dev"));
  }
}

INSTANTIATE_TEST_SUITE_P(Debian, NetworkTest, testing::Values("6.1", "6.12", "7"), linux_name);

}  // namespace
}  // namespace vitrine::live
