// Reads one socket, of whatever family, from its struct sock and what that is part of.
//
// Thread contract: one thread at a time. Cost: some 25 loads a socket, and 3 for each message that
// waits in a Unix socket.
#pragma once

#include <array>
#include <string>

#include "vitrine/kernel/type_lookup.h"
#include "vitrine/views/budget.h"
#include "vitrine/views/cycle_guard.h"
#include "vitrine/views/reader.h"
#include "vitrine/views/resolver.h"
#include "vitrine/views/socket.h"

namespace vitrine::views {

// What of a socket may turn out unreadable, as bits of Socket::unreadable.
enum SocketPart : std::uint32_t {
  kPartNamespace = 1U << 0,
  kPartState = 1U << 1,
  kPartFamily = 1U << 2,
  kPartLocal = 1U << 3,
  kPartRemote = 1U << 4,
  kPartInterface = 1U << 5,
  kPartQueues = 1U << 6,
  kPartProtocol = 1U << 7,
  kPartUid = 1U << 8,
  kPartInode = 1U << 9,
  kPartPeer = 1U << 10,
};

class SocketReader {
 public:
  // `at` tells what is missing.
  static SocketReader attach(const kernel::TypeLookup& types, Resolver& at);

  // To be called when a collection begins.
  void renew() { messages_.renew(); }

  // Reads the socket at `at`. `kind`: of the table it was found in; nothing where it was not.
  void read(Reader& reader, base::GuestVirtual at, SocketKind kind, Socket& socket);

  // The struct sock of a struct socket.
  bool sock_of(Reader& reader, base::GuestVirtual socket, base::GuestVirtual& sock) const {
    return reader.load(socket + sock_, sock.value);
  }

 private:
  static constexpr std::size_t kMaxPath = 108;             // of struct sockaddr_un, bytes
  static constexpr std::uint32_t kMaxMessages = 1U << 16;  // of a socket

  // The structure that is being read, and where to note what can't be.
  struct Source {
    Reader& reader;
    Reader::Object& object;
    Socket& socket;

    template <class T>
    [[gnu::always_inline]] bool load(std::uint32_t offset, T& to, std::uint32_t part) const {
      return object.load(offset, to) || failed(part);
    }
    bool failed(std::uint32_t part) const {
      socket.unreadable |= part;
      socket.fault = reader.fault();
      return false;
    }
  };

  void read_addresses(const Source& from) const;
  void read_owner(const Source& from) const;
  void read_queues(const Source& from);
  void read_stream_queues(const Source& from) const;
  void read_unix(const Source& from);
  bool unix_waiting(const Source& from, std::int64_t& bytes);
  bool unix_path(Reader& reader, base::GuestVirtual address, std::string& path) const;
  void read_netlink(const Source& from) const;
  void read_packet(const Source& from) const;
  bool inode_of(Reader& reader, base::GuestVirtual socket, std::uint64_t& number) const {
    return reader.load(socket + inode_number_, number);
  }

  // Of struct sock_common.
  std::uint32_t family_ = 0, state_ = 0, interface_ = 0, namespace_ = 0, remote4_ = 0, local4_ = 0,
                remote6_ = 0, local6_ = 0, remote_port_ = 0, local_port_ = 0;
  // Of struct sock.
  std::uint32_t socket_ = 0, type_ = 0, protocol_ = 0, uid_ = 0, backlog_ = 0, backlog_limit_ = 0,
                received_ = 0, sent_ = 0, queue_ = 0, queue_length_ = 0;
  std::uint32_t sock_high_ = 0, high_ = 0;  // how far it is read
  std::uint32_t substate_ = 0;              // inet_timewait_sock
  std::uint32_t next_received_ = 0, copied_ = 0, written_ = 0, acknowledged_ = 0;  // tcp_sock
  std::uint32_t deficit_ = 0;                                                      // udp_sock
  std::uint32_t address_ = 0, peer_ = 0;                                           // unix_sock
  std::uint32_t address_length_ = 0, address_name_ = 0;                            // unix_address
  std::uint32_t next_message_ = 0, message_length_ = 0, consumed_ = 0;             // sk_buff
  std::uint32_t port_id_ = 0, peer_port_id_ = 0;                                   // netlink_sock
  bool knows_packets_ = false;
  std::uint32_t packet_protocol_ = 0, packet_interface_ = 0;  // packet_sock
  std::uint32_t sock_ = 0;                                    // struct socket
  std::uint32_t inode_number_ = 0;                            // from a struct socket to its inode's
  Budget messages_{16U << 20};
};

}  // namespace vitrine::views
