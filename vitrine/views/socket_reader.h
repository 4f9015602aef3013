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
  template <class Reader>
  void read(Reader& reader, base::GuestVirtual at, SocketKind kind, Socket& socket);

  // The struct sock of a struct socket.
  template <class Reader>
  bool sock_of(Reader& reader, base::GuestVirtual socket, base::GuestVirtual& sock) const {
    return reader.load(socket + sock_, sock.value);
  }

 private:
  static constexpr std::size_t kMaxPath = 108;             // of struct sockaddr_un, bytes
  static constexpr std::uint32_t kMaxMessages = 1U << 16;  // of a socket

  // The structure that is being read, and where to note what can't be.
  template <class Reader>
  struct Source {
    Reader& reader;
    typename Reader::Object& object;
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

  template <class Reader>
  void read_addresses(const Source<Reader>& from) const;
  template <class Reader>
  void read_owner(const Source<Reader>& from) const;
  template <class Reader>
  void read_queues(const Source<Reader>& from);
  template <class Reader>
  void read_stream_queues(const Source<Reader>& from) const;
  template <class Reader>
  void read_unix(const Source<Reader>& from);
  template <class Reader>
  bool unix_waiting(const Source<Reader>& from, std::int64_t& bytes);
  template <class Reader>
  bool unix_path(Reader& reader, base::GuestVirtual address, std::string& path) const;
  template <class Reader>
  void read_netlink(const Source<Reader>& from) const;
  template <class Reader>
  void read_packet(const Source<Reader>& from) const;
  template <class Reader>
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

template <class Reader>
void SocketReader::read(Reader& reader, base::GuestVirtual at, SocketKind kind, Socket& socket) {
  socket.at = at;
  socket.kind = kind;
  reader.expect(at, kind == SocketKind::tcp || kind == SocketKind::udp ? high_ : sock_high_);
  typename Reader::Object object(reader, at, high_);
  const Source<Reader> from{reader, object, socket};
  from.load(family_, socket.family, kPartFamily);
  from.load(state_, socket.state, kPartState);
  from.load(interface_, socket.interface, kPartInterface);
  from.load(namespace_, socket.name_space.value, kPartNamespace);
  // A table of TCP holds two smaller structures, too, that begin as a socket does.
  socket.whole =
      kind != SocketKind::tcp || (socket.state != kTimeWait && socket.state != kNewSynReceived);
  if (!socket.whole) {
    socket.type = kStream;
    socket.protocol = 6;
    if (socket.state == kTimeWait) from.load(substate_, socket.state, kPartState);
    return read_addresses(from);
  }
  from.load(type_, socket.type, kPartProtocol);
  from.load(protocol_, socket.protocol, kPartProtocol);
  if (kind == SocketKind::other) {
    kind = kind_of(socket.family, socket.type, socket.protocol);
    socket.kind = kind;
  }
  read_owner(from);
  if (socket.family == kFamilyInet || socket.family == kFamilyInet6) read_addresses(from);
  read_queues(from);
  if (kind == SocketKind::local) read_unix(from);
  if (kind == SocketKind::netlink) read_netlink(from);
  if (kind == SocketKind::packet) read_packet(from);
}

template <class Reader>
void SocketReader::read_addresses(const Source<Reader>& from) const {
  Socket& socket = from.socket;
  std::uint16_t port = 0;
  if (from.load(local_port_, port, kPartLocal)) socket.local_port = port;  // in the host's order
  if (from.load(remote_port_, port, kPartRemote))
    socket.remote_port = static_cast<std::uint32_t>(port >> 8 | (port & 0xff) << 8);
  if (socket.family == kFamilyInet6) {
    for (std::uint32_t i = 0; i < 2; ++i) {
      from.load(local6_ + i * 8, socket.local.words.at(i), kPartLocal);
      from.load(remote6_ + i * 8, socket.remote.words.at(i), kPartRemote);
    }
    return;
  }
  std::uint32_t address = 0;
  if (from.load(local4_, address, kPartLocal)) socket.local.words[0] = address;
  if (from.load(remote4_, address, kPartRemote)) socket.remote.words[0] = address;
}

template <class Reader>
void SocketReader::read_owner(const Source<Reader>& from) const {
  Socket& socket = from.socket;
  from.load(uid_, socket.uid, kPartUid);
  if (!from.load(socket_, socket.socket.value, kPartInode) || socket.socket.value == 0) return;
  if (!inode_of(from.reader, socket.socket, socket.inode)) from.failed(kPartInode);
}

// As tcp_diag_get_info(), udp_diag_get_info() and sk_diag_show_rqlen() count them.
template <class Reader>
void SocketReader::read_queues(const Source<Reader>& from) {
  Socket& socket = from.socket;
  if (socket.kind == SocketKind::tcp) return read_stream_queues(from);
  std::uint32_t sent = 0;
  if (from.load(sent_, sent, kPartQueues)) socket.send_queue = std::int64_t{sent} - 1;
  if (socket.kind == SocketKind::local) {
    std::uint32_t value = 0;
    if (socket.state != kListen) {
      if (!unix_waiting(from, socket.receive_queue)) from.failed(kPartQueues);
    } else {
      if (from.load(queue_length_, value, kPartQueues)) socket.receive_queue = value;
      if (from.load(backlog_limit_, value, kPartQueues)) socket.send_queue = value;
    }
    return;
  }
  std::int32_t received = 0;
  std::int32_t deficit = 0;  // bytes that were taken out, but are not yet given back
  if (from.load(received_, received, kPartQueues) &&
      (socket.kind != SocketKind::udp || from.load(deficit_, deficit, kPartQueues)))
    socket.receive_queue = std::int64_t{received} - deficit;
}

template <class Reader>
void SocketReader::read_stream_queues(const Source<Reader>& from) const {
  Socket& socket = from.socket;
  const auto difference = [&](std::uint32_t end, std::uint32_t begin, std::int64_t& queue) {
    std::uint32_t high = 0;
    std::uint32_t low = 0;
    if (from.load(end, high, kPartQueues) && from.load(begin, low, kPartQueues))
      queue = std::max(static_cast<std::int32_t>(high - low), 0);
  };
  if (socket.state != kListen) {
    difference(next_received_, copied_, socket.receive_queue);
    return difference(written_, acknowledged_, socket.send_queue);
  }
  std::uint32_t value = 0;
  if (from.load(backlog_, value, kPartQueues)) socket.receive_queue = value;
  if (from.load(backlog_limit_, value, kPartQueues)) socket.send_queue = value;
}

// Bytes to be received: all that wait, or of datagrams the first, as unix_inq_len() has it.
template <class Reader>
bool SocketReader::unix_waiting(const Source<Reader>& from, std::int64_t& bytes) {
  const base::GuestVirtual head = from.socket.at + queue_;
  base::GuestVirtual at;
  if (!from.object.load(queue_, at.value)) return false;
  CycleGuard guard;
  for (std::uint32_t messages = 0; at != head; ++messages) {
    std::uint32_t length = 0;
    std::uint32_t consumed = 0;
    if (messages >= kMaxMessages || !messages_.spend(1) || guard.closes(at) ||
        !from.reader.load(at + message_length_, length) ||
        !from.reader.load(at + consumed_, consumed))
      return false;
    if (from.socket.type == kDatagram) {
      bytes = length;
      return true;
    }
    bytes += std::int64_t{length} - consumed;
    if (!from.reader.load(at + next_message_, at.value)) return false;
  }
  return true;
}

template <class Reader>
void SocketReader::read_unix(const Source<Reader>& from) {
  Socket& socket = from.socket;
  base::GuestVirtual address;
  base::GuestVirtual peer;
  if (from.load(address_, address.value, kPartLocal) &&
      !unix_path(from.reader, address, socket.path))
    from.failed(kPartLocal);
  if (!from.load(peer_, peer.value, kPartPeer | kPartRemote) || peer.value == 0) return;
  if (!from.reader.load(peer + address_, address.value) ||
      !unix_path(from.reader, address, socket.peer_path))
    from.failed(kPartRemote);
  base::GuestVirtual socket_of_peer;
  if (!from.reader.load(peer + socket_, socket_of_peer.value) ||
      (socket_of_peer.value != 0 && !inode_of(from.reader, socket_of_peer, socket.peer_inode)))
    from.failed(kPartPeer);
}

// A path, or a name that begins with a zero byte and may hold anything, for which people write @.
template <class Reader>
bool SocketReader::unix_path(Reader& reader, base::GuestVirtual address, std::string& path) const {
  if (address.value == 0) return true;
  std::uint32_t length = 0;
  if (!reader.load(address + address_length_, length)) return false;
  constexpr std::uint32_t kFamilySize = 2;
  if (length <= kFamilySize) return true;
  path.resize(std::min<std::size_t>(length - kFamilySize, kMaxPath));
  if (!reader.load_bytes(address + address_name_ + kFamilySize,
                         std::as_writable_bytes(std::span(path)))) {
    path.clear();
    return false;
  }
  if (path.front() == '\0')
    path.front() = '@';
  else
    path.resize(std::min(path.find('\0'), path.size()));
  return true;
}

template <class Reader>
void SocketReader::read_netlink(const Source<Reader>& from) const {
  from.load(port_id_, from.socket.local_port, kPartLocal);
  from.load(peer_port_id_, from.socket.remote_port, kPartRemote);
}

template <class Reader>
void SocketReader::read_packet(const Source<Reader>& from) const {
  if (!knows_packets_) return;
  std::uint16_t type = 0;
  if (from.load(packet_protocol_, type, kPartProtocol))
    from.socket.protocol = static_cast<std::uint16_t>(type >> 8 | type << 8);
  from.load(packet_interface_, from.socket.interface, kPartInterface);
}

}  // namespace vitrine::views
