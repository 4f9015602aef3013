#include "vitrine/views/socket_reader.h"

#include <algorithm>

namespace vitrine::views {

SocketReader SocketReader::attach(const kernel::TypeLookup& types, Resolver& at) {
  SocketReader reader;
  reader.family_ = at("sock_common", "skc_family");
  reader.state_ = at("sock_common", "skc_state");
  reader.interface_ = at("sock_common", "skc_bound_dev_if");
  reader.namespace_ = at("sock_common", "skc_net.net");
  reader.remote4_ = at("sock_common", "skc_daddr");
  reader.local4_ = at("sock_common", "skc_rcv_saddr");
  reader.remote_port_ = at("sock_common", "skc_dport");
  reader.local_port_ = at("sock_common", "skc_num");
  if (types.has_member("sock_common", "skc_v6_daddr")) {  // CONFIG_IPV6
    reader.remote6_ = at("sock_common", "skc_v6_daddr");
    reader.local6_ = at("sock_common", "skc_v6_rcv_saddr");
  }
  reader.socket_ = at("sock", "sk_socket");
  reader.type_ = at("sock", "sk_type");
  reader.protocol_ = at("sock", "sk_protocol");
  reader.uid_ = at("sock", "sk_uid");
  reader.backlog_ = at("sock", "sk_ack_backlog");
  reader.backlog_limit_ = at("sock", "sk_max_ack_backlog");
  reader.received_ = at("sock", "sk_backlog.rmem_alloc");
  reader.sent_ = at("sock", "sk_wmem_alloc");
  reader.queue_ = at("sock", "sk_receive_queue");
  reader.queue_length_ = at("sock", "sk_receive_queue.qlen");
  reader.substate_ = at("inet_timewait_sock", "tw_substate");
  reader.next_received_ = at("tcp_sock", "rcv_nxt");
  reader.copied_ = at("tcp_sock", "copied_seq");
  reader.written_ = at("tcp_sock", "write_seq");
  reader.acknowledged_ = at("tcp_sock", "snd_una");
  reader.deficit_ = at("udp_sock", "forward_deficit");
  reader.address_ = at("unix_sock", "addr");
  reader.peer_ = at("unix_sock", "peer");
  reader.address_length_ = at("unix_address", "len");
  reader.address_name_ = at("unix_address", "name");
  reader.next_message_ = at("sk_buff", "next");
  reader.message_length_ = at("sk_buff", "len");
  reader.consumed_ = at("sk_buff", "cb") + at("unix_skb_parms", "consumed");
  reader.port_id_ = at("netlink_sock", "portid");
  reader.peer_port_id_ = at("netlink_sock", "dst_portid");
  // A module may keep the structure to itself.
  reader.knows_packets_ = types.has_member("packet_sock", "ifindex");
  if (reader.knows_packets_) {
    reader.packet_protocol_ = at("packet_sock", "num");
    reader.packet_interface_ = at("packet_sock", "ifindex");
  }
  reader.sock_ = at("socket", "sk");
  reader.inode_number_ =
      at("socket_alloc", "vfs_inode") - at("socket_alloc", "socket") + at("inode", "i_ino");
  constexpr std::uint32_t kWidest = 16;
  reader.sock_high_ =
      kWidest +
      std::max({reader.family_,      reader.state_,      reader.interface_, reader.namespace_,
                reader.remote4_,     reader.local4_,     reader.remote6_,   reader.local6_,
                reader.remote_port_, reader.local_port_, reader.socket_,    reader.type_,
                reader.protocol_,    reader.uid_,        reader.backlog_,   reader.backlog_limit_,
                reader.received_,    reader.sent_,       reader.queue_,     reader.queue_length_,
                reader.substate_,    reader.address_,    reader.peer_,      reader.port_id_,
                reader.peer_port_id_});
  reader.high_ = std::max({reader.sock_high_, reader.next_received_ + kWidest,
                           reader.copied_ + kWidest, reader.written_ + kWidest,
                           reader.acknowledged_ + kWidest, reader.deficit_ + kWidest,
                           reader.packet_protocol_ + kWidest, reader.packet_interface_ + kWidest});
  return reader;
}

void SocketReader::read(Reader& reader, base::GuestVirtual at, SocketKind kind, Socket& socket) {
  socket.at = at;
  socket.kind = kind;
  reader.expect(at, kind == SocketKind::tcp || kind == SocketKind::udp ? high_ : sock_high_);
  Reader::Object object(reader, at, high_);
  const Source from{reader, object, socket};
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

void SocketReader::read_addresses(const Source& from) const {
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

void SocketReader::read_owner(const Source& from) const {
  Socket& socket = from.socket;
  from.load(uid_, socket.uid, kPartUid);
  if (!from.load(socket_, socket.socket.value, kPartInode) || socket.socket.value == 0) return;
  if (!inode_of(from.reader, socket.socket, socket.inode)) from.failed(kPartInode);
}

// As tcp_diag_get_info(), udp_diag_get_info() and sk_diag_show_rqlen() count them.
void SocketReader::read_queues(const Source& from) {
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

void SocketReader::read_stream_queues(const Source& from) const {
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
bool SocketReader::unix_waiting(const Source& from, std::int64_t& bytes) {
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

void SocketReader::read_unix(const Source& from) {
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

void SocketReader::read_netlink(const Source& from) const {
  from.load(port_id_, from.socket.local_port, kPartLocal);
  from.load(peer_port_id_, from.socket.remote_port, kPartRemote);
}

void SocketReader::read_packet(const Source& from) const {
  if (!knows_packets_) return;
  std::uint16_t type = 0;
  if (from.load(packet_protocol_, type, kPartProtocol))
    from.socket.protocol = static_cast<std::uint16_t>(type >> 8 | type << 8);
  from.load(packet_interface_, from.socket.interface, kPartInterface);
}

}  // namespace vitrine::views
