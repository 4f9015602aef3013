// The view `sockets` (ss) against the guest's own /proc/net and /proc/PID/fd, in two namespaces.
#include <arpa/inet.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "tests/live/view_test.h"

namespace vitrine::live {
namespace {

using nlohmann::json;
using Lines = std::multiset<std::string>;

std::vector<std::vector<std::string>> table(Guest& guest, const std::string& pid,
                                            const std::string& name) {
  std::istringstream lines(guest.run("cat /proc/" + pid + "/net/" + name));
  std::vector<std::vector<std::string>> rows;
  std::string line;
  std::getline(lines, line);  // the heading
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::vector<std::string>& row = rows.emplace_back();
    for (std::string word; words >> word;) row.push_back(word);
  }
  return rows;
}

std::uint64_t hex(const std::string& text) { return std::stoull(text, nullptr, 16); }

// "0100007F:1B59": words of the address as the guest's processor sees them, and the port.
std::string address_of(const std::string& field) {
  const std::string words = field.substr(0, field.find(':'));
  std::array<std::uint32_t, 4> bytes{};
  for (std::size_t i = 0; i * 8 < words.size(); ++i)
    bytes.at(i) = static_cast<std::uint32_t>(hex(words.substr(i * 8, 8)));
  std::array<char, 64> text{};
  inet_ntop(words.size() == 8 ? AF_INET : AF_INET6, bytes.data(), text.data(), text.size());
  return std::string(text.data()) + " " + std::to_string(hex(field.substr(field.find(':') + 1)));
}

std::string state_of(const std::string& number) {
  const std::array<std::string, 12> names{"?",          "ESTAB",      "SYN-SENT",  "SYN-RECV",
                                          "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT", "UNCONN",
                                          "CLOSE-WAIT", "LAST-ACK",   "LISTEN",    "CLOSING"};
  return names.at(hex(number));
}

std::string text(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.is_null() ? "-" : value.dump();
}

// "NETID FAMILY STATE LOCAL PORT REMOTE PORT RECEIVED SENT UID INODE" of each internet socket.
Lines own_inet(Guest& guest, const std::string& pid) {
  Lines lines;
  for (const char* name : {"tcp", "tcp6", "udp", "udp6", "raw", "raw6"}) {
    const std::string netid = std::string(name).substr(0, 3);
    for (const auto& row : table(guest, pid, name)) {
      const std::string state = state_of(row.at(3));
      const bool owned = row.at(9) != "0";
      const std::string queues = row.at(4);
      std::ostringstream line;
      line << netid << (std::string(name).back() == '6' ? " inet6 " : " inet ") << state << ' '
           << address_of(row.at(1)) << ' ' << address_of(row.at(2)) << ' '
           << hex(queues.substr(queues.find(':') + 1)) << ' '
           << (state == "LISTEN" ? 0 : hex(queues)) << ' ' << (owned ? row.at(7) : "-") << ' '
           << (owned ? row.at(9) : "-");
      lines.insert(line.str());
    }
  }
  return lines;
}

Lines inet_of(const json& rows) {
  Lines lines;
  for (const json& row : rows) {
    const std::string netid = row.at("netid");
    const bool raw = netid == "raw";
    if (netid != "tcp" && netid != "udp" && !raw) continue;
    if (row.at("local_address").is_null()) continue;  // bound to nothing: in no table
    const std::string any = row.at("family") == "inet" ? "0.0.0.0" : "::";
    const auto or_zero = [](const json& value) { return value.is_null() ? "0" : text(value); };
    const bool owned = !row.at("inode").is_null();
    std::ostringstream line;
    line << netid << ' ' << text(row.at("family")) << ' ' << text(row.at("state")) << ' '
         << text(row.at("local_address")) << ' '
         << (raw ? text(row.at("protocol")) : text(row.at("local_port"))) << ' '
         << (row.at("remote_address").is_null() ? any : text(row.at("remote_address"))) << ' '
         << or_zero(row.at("remote_port")) << ' ' << or_zero(row.at("recv_q")) << ' '
         << (row.at("state") == "LISTEN" ? "0" : or_zero(row.at("send_q"))) << ' '
         << (owned ? text(row.at("uid")) : "-") << ' ' << text(row.at("inode"));
    lines.insert(line.str());
  }
  return lines;
}

// "NETID STATE INODE PATH" of each Unix socket.
Lines own_unix(Guest& guest, const std::string& pid) {
  Lines lines;
  for (const auto& row : table(guest, pid, "unix")) {
    const std::map<std::string, std::string> types{
        {"0001", "u_str"}, {"0002", "u_dgr"}, {"0005", "u_seq"}};
    const bool listens = row.at(3) == "00010000";
    lines.insert(types.at(row.at(4)) + " " +
                 (listens             ? "LISTEN"
                  : row.at(5) == "01" ? "UNCONN"
                                      : "ESTAB") +
                 " " + row.at(6) + " " + (row.size() > 7 ? row.at(7) : "-"));
  }
  return lines;
}

Lines unix_of(const json& rows) {
  Lines lines;
  for (const json& row : rows)
    if (row.at("family") == "unix")
      lines.insert(text(row.at("netid")) + " " + text(row.at("state")) + " " +
                   (row.at("inode").is_null() ? "0" : text(row.at("inode"))) + " " +
                   text(row.at("local_address")));
  return lines;
}

// "nl PROTOCOL PORT RECEIVED SENT INODE", "packet TYPE PROTOCOL RECEIVED UID INODE".
Lines own_links(Guest& guest, const std::string& pid) {
  Lines lines;
  for (const auto& row : table(guest, pid, "netlink"))
    lines.insert("nl " + row.at(1) + " " + row.at(2) + " " + row.at(4) + " " + row.at(5) + " " +
                 row.at(9));
  for (const auto& row : table(guest, pid, "packet"))
    lines.insert((row.at(2) == "3" ? "p_raw " : "p_dgr ") + std::to_string(hex(row.at(3))) + " " +
                 (row.at(4) == "1" ? "lo" : "-") + " " + row.at(6) + " " + row.at(7) + " " +
                 row.at(8));
  return lines;
}

Lines links_of(const json& rows) {
  Lines lines;
  for (const json& row : rows) {
    // One that has no port is in no table.
    if (row.at("netid") == "nl" && (row.at("local_port") != 0 || row.at("owners") == 0))
      lines.insert("nl " + text(row.at("protocol")) + " " + text(row.at("local_port")) + " " +
                   text(row.at("recv_q")) + " " + text(row.at("send_q")) + " " +
                   text(row.at("inode")));
    if (row.at("family") == "packet")
      lines.insert(text(row.at("netid")) + " " + text(row.at("protocol")) + " " +
                   text(row.at("interface")) + " " + text(row.at("recv_q")) + " " +
                   text(row.at("uid")) + " " + text(row.at("inode")));
  }
  return lines;
}

json socket_with(const json& rows, const std::string& column, const json& value,
                 const std::string& state) {
  for (const json& row : rows)
    if (row.at(column) == value && row.at("state") == state) return row;
  ADD_FAILURE() << "no socket with " << column << " " << value << " in state " << state;
  return {};
}

// What the guest has no words for in /proc.
void expect_queues_and_peers(const json& rows, const std::string& pid, const std::string& prefix) {
  const json listener = socket_with(rows, "local_port", 7001, "LISTEN");
  EXPECT_EQ(listener.at("recv_q"), 2);
  EXPECT_EQ(listener.at("send_q"), 5);
  EXPECT_EQ(listener.at("pid"), std::stoi(pid));
  EXPECT_EQ(listener.at("comm"), "guest_tool");
  EXPECT_EQ(listener.at("owners"), 2) << "the process and its child";
  const json waits = socket_with(rows, "remote_port", 7002, "TIME-WAIT");
  for (const char* column : {"inode", "uid", "pid", "recv_q"})
    EXPECT_TRUE(waits.at(column).is_null()) << column;
  EXPECT_EQ(waits.at("owners"), 0);
  EXPECT_TRUE(socket_with(rows, "local_port", 7003, "SYN-RECV").at("inode").is_null());
  EXPECT_EQ(socket_with(rows, "remote_port", 7004, "SYN-SENT").at("owners"), 2);
  EXPECT_EQ(socket_with(rows, "local_port", 7006, "UNCONN").at("interface"), "lo");

  const json stream = socket_with(rows, "local_address", "/tmp/" + prefix + "-stream", "LISTEN");
  EXPECT_EQ(stream.at("recv_q"), 1);
  EXPECT_EQ(stream.at("send_q"), 9);
  const json datagrams = socket_with(rows, "local_address", "@" + prefix + "-datagrams", "ESTAB");
  EXPECT_EQ(datagrams.at("recv_q"), 13) << "the first datagram alone";
  const json server = socket_with(rows, "recv_q", 17, "ESTAB");  // the bytes of all messages
  const json client = socket_with(rows, "inode", server.at("peer_inode"), "ESTAB");
  EXPECT_EQ(server.at("local_address"), "/tmp/" + prefix + "-stream");
  EXPECT_EQ(client.at("remote_address"), server.at("local_address"));
  EXPECT_EQ(client.at("peer_inode"), server.at("inode"));

  std::size_t unused = 0;  // sockets that are in no table
  for (const json& row : rows)
    if (row.at("netid") == "tcp" && row.at("local_address").is_null()) ++unused;
  EXPECT_EQ(unused, 1U);
}

// Every socket that a process has open is there, and no other is said to be owned.
std::map<std::string, std::uint64_t> own_owners(Guest& guest) {
  std::istringstream words(
      guest.run("ls -l /proc/[0-9]*/fd 2>/dev/null | grep -o 'socket:.[0-9]*.$'"));
  std::map<std::string, std::uint64_t> owners;
  for (std::string word; words >> word;) ++owners[word.substr(8, word.size() - 9)];
  return owners;
}

std::map<std::string, std::uint64_t> owners_of(const json& rows) {
  std::map<std::string, std::uint64_t> owners;
  for (const json& row : rows)
    if (row.at("owners") != 0)
      owners[text(row.at("inode"))] += row.at("owners").get<std::uint64_t>();
  return owners;
}

class SocketTest : public ViewTest {};

TEST_P(SocketTest, AreThoseOfTheGuestsOwnProc) {
  Guest& guest = this->guest();
  const std::string first = guest.run("ifconfig lo up; guest_tool sockets first");
  const std::string second =
      guest.run("unshare -n sh -c 'ifconfig lo up; guest_tool sockets second'");
  const json rows = vitrine_json({"ss", guest.name()}).at("rows");
  for (const auto& [pid, prefix] : {std::pair(first, "first"), {second, "second"}}) {
    const json of_one = rows_of_namespace(rows, guest, pid);
    const Lines own = own_inet(guest, pid);
    EXPECT_GT(own.size(), 25U);
    EXPECT_EQ(inet_of(of_one), own) << prefix;
    EXPECT_EQ(unix_of(of_one), own_unix(guest, pid)) << prefix;
    EXPECT_EQ(links_of(of_one), own_links(guest, pid)) << prefix;
    expect_queues_and_peers(of_one, pid, prefix);
  }
  EXPECT_EQ(owners_of(rows), own_owners(guest));
}

INSTANTIATE_TEST_SUITE_P(Debian, SocketTest, testing::Values("6.1", "6.12", "7"), linux_name);

}  // namespace
}  // namespace vitrine::live
