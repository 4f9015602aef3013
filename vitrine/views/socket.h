// One socket as read, and the words for what it is, which are those of ss.
//
// Thread contract: plain values and pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "vitrine/paging/walk.h"
#include "vitrine/views/inet_address.h"

namespace vitrine::views {

constexpr std::uint16_t kFamilyUnix = 1;  // AF_*, include/linux/socket.h
constexpr std::uint16_t kFamilyNetlink = 16;
constexpr std::uint16_t kFamilyPacket = 17;
constexpr std::uint16_t kFamilyVsock = 40;

// How a socket is laid out and what its queues mean.
enum class SocketKind : std::uint8_t { tcp, udp, raw, local, netlink, packet, other };

// TCP_*, include/net/tcp_states.h; other families use some of them.
enum SocketState : std::uint8_t {
  kEstablished = 1,
  kSynReceived = 3,
  kTimeWait = 6,
  kClosed = 7,
  kListen = 10,
  kNewSynReceived = 12,
};

// SOCK_*, include/linux/net.h
enum SocketType : std::uint8_t { kStream = 1, kDatagram = 2, kRaw = 3, kSequenced = 5 };

struct Socket {
  base::GuestVirtual at;          // struct sock; of a connection that is only asked for or just
                                  // ending, struct request_sock or inet_timewait_sock
  base::GuestVirtual socket;      // struct socket; 0 where no file is behind it
  base::GuestVirtual name_space;  // struct net
  std::uint32_t namespace_number = 0;
  SocketKind kind = SocketKind::other;
  bool whole = true;  // false: one of the small structures, which have neither owner nor queues
  std::uint8_t state = 0;
  std::uint16_t family = 0;
  std::uint16_t type = 0;
  std::uint16_t protocol = 0;
  InetAddress local, remote;
  std::uint32_t local_port = 0, remote_port = 0;
  std::int32_t interface = 0;    // its number; 0: none
  std::string interface_name{};  // empty: none
  std::int64_t receive_queue = 0, send_queue = 0;
  std::uint32_t uid = 0;
  std::uint64_t inode = 0;       // 0: none
  std::uint64_t peer_inode = 0;  // 0: none
  std::string path{}, peer_path{};
  std::uint32_t owners = 0;      // descriptors
  std::size_t owner = 0;         // the first one's place in the process list
  std::uint32_t descriptor = 0;  // the first
  std::uint32_t unreadable = 0;  // a bit per column
  paging::Fault fault = paging::Fault::none;
};

// "tcp", "u_str", "nl", …
std::string netid_of(const Socket& socket);

// "ESTAB", "LISTEN", …
std::string_view state_of(const Socket& socket);

// "inet", "unix", …; a number where it has no name here.
std::string family_name(std::uint16_t family);

// The kind of a socket that was found by its file.
SocketKind kind_of(std::uint16_t family, std::uint16_t type, std::uint16_t protocol);

// Who is at the kernel's end of a netlink socket: "rtnl", "audit", …; a number where it has no name
// here.
std::string netlink_protocol(std::uint16_t protocol);

}  // namespace vitrine::views
