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

}  // namespace vitrine::views
