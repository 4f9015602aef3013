#include "vitrine/views/socket.h"

#include <array>

namespace vitrine::views {
namespace {

constexpr std::uint16_t kProtocolTcp = 6;  // IPPROTO_*, include/uapi/linux/in.h
constexpr std::uint16_t kProtocolUdp = 17;
constexpr std::uint16_t kProtocolUdpLite = 136;

bool is_inet(std::uint16_t family) { return family == kFamilyInet || family == kFamilyInet6; }

std::string_view inet_name(std::uint16_t protocol) {
  switch (protocol) {
    case 1:
    case 58:
      return "icmp";
    case 33:
      return "dccp";
    case 115:
      return "l2tp";
    case kProtocolUdpLite:
      return "udpl";
    case 132:
      return "sctp";
    case 262:
      return "mptcp";
    default:
      return {};
  }
}

std::string_view type_suffix(std::uint16_t type) {
  switch (type) {
    case kStream:
      return "_str";
    case kDatagram:
      return "_dgr";
    case kRaw:
      return "_raw";
    case kSequenced:
      return "_seq";
    default:
      return "_???";
  }
}

}  // namespace

std::string netid_of(const Socket& socket) {
  switch (socket.kind) {
    case SocketKind::tcp:
      return "tcp";
    case SocketKind::udp:
      return socket.protocol == kProtocolUdpLite ? "udpl" : "udp";
    case SocketKind::raw:
      return "raw";
    case SocketKind::local:
      return "u" + std::string(type_suffix(socket.type));
    case SocketKind::netlink:
      return "nl";
    case SocketKind::packet:
      return socket.type == kDatagram ? "p_dgr" : "p_raw";
    case SocketKind::other:
      break;
  }
  if (socket.family == kFamilyVsock) return "v" + std::string(type_suffix(socket.type));
  if (is_inet(socket.family) && !inet_name(socket.protocol).empty())
    return std::string(inet_name(socket.protocol));
  return family_name(socket.family);
}

std::string_view state_of(const Socket& socket) {
  constexpr std::array<std::string_view, 14> kNames{
      "UNCONN", "ESTAB",      "SYN-SENT", "SYN-RECV", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT",
      "UNCONN", "CLOSE-WAIT", "LAST-ACK", "LISTEN",   "CLOSING",    "SYN-RECV",   "UNCONN"};
  return socket.state < kNames.size() ? kNames.at(socket.state) : "UNKNOWN";
}

std::string family_name(std::uint16_t family) {
  switch (family) {
    case kFamilyUnix:
      return "unix";
    case kFamilyInet:
      return "inet";
    case kFamilyInet6:
      return "inet6";
    case 15:
      return "key";
    case kFamilyNetlink:
      return "netlink";
    case kFamilyPacket:
      return "packet";
    case 29:
      return "can";
    case 30:
      return "tipc";
    case 31:
      return "bluetooth";
    case 38:
      return "alg";
    case kFamilyVsock:
      return "vsock";
    case 43:
      return "smc";
    case 44:
      return "xdp";
    default:
      return std::to_string(family);
  }
}

SocketKind kind_of(std::uint16_t family, std::uint16_t type, std::uint16_t protocol) {
  if (family == kFamilyUnix) return SocketKind::local;
  if (family == kFamilyNetlink) return SocketKind::netlink;
  if (family == kFamilyPacket) return SocketKind::packet;
  if (!is_inet(family)) return SocketKind::other;
  if (type == kStream && protocol == kProtocolTcp) return SocketKind::tcp;
  if (type == kDatagram && (protocol == kProtocolUdp || protocol == kProtocolUdpLite))
    return SocketKind::udp;
  return type == kRaw ? SocketKind::raw : SocketKind::other;
}

// NETLINK_*, include/uapi/linux/netlink.h, named as ss does.
std::string netlink_protocol(std::uint16_t protocol) {
  constexpr std::array<std::string_view, 23> kNames{
      "rtnl",  "unused", "usersock",   "fw",        "tcpdiag", "nflog",  "xfrm",   "selinux",
      "iscsi", "audit",  "fiblookup",  "connector", "nft",     "ip6_fw", "dec-rt", "uevent",
      "genl",  "",       "scsi-trans", "ecryptfs",  "rdma",    "crypto", "smc"};
  if (protocol < kNames.size() && !kNames.at(protocol).empty())
    return std::string(kNames.at(protocol));
  return std::to_string(protocol);
}

}  // namespace vitrine::views
