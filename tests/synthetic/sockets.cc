#include "tests/synthetic/sockets.h"

namespace vitrine::synthetic {
namespace {

constexpr std::uint16_t inet = 2;
constexpr std::uint64_t buckets = 8;         // of the tables of TCP and UDP
constexpr std::uint64_t unix_buckets = 512;  // UNIX_HASH_SIZE
constexpr std::uint64_t listening_end = 1U << 29;
constexpr std::uint64_t loopback = 0x0100007f;

std::uint64_t end_mark(std::uint64_t number) { return number << 1 | 1; }
std::uint16_t network_order(std::uint16_t port) {
  return static_cast<std::uint16_t>(port >> 8 | port << 8);
}

}  // namespace

Sockets::Sockets(Kernel& kernel) : kernel_(kernel) {
  const Types& types = kernel.types();
  const GuestVirtual namespaces = kernel.symbol("net_namespace_list");
  kernel.put(namespaces, namespaces.value);
  kernel.put(namespaces + 8, namespaces.value);
  established_ = kernel.allocate(buckets * 8);
  listening_ = kernel.allocate(buckets * types.size("struct inet_listen_hashbucket"));
  for (std::uint64_t i = 0; i < buckets; ++i) {
    kernel.put(established_ + i * 8, end_mark(i));
    kernel.set(listening_ + i * types.size("struct inet_listen_hashbucket"),
               "inet_listen_hashbucket", "nulls_head.first", end_mark(listening_end + i));
  }
  const GuestVirtual tcp = kernel.symbol("tcp_hashinfo");
  kernel.set(tcp, "inet_hashinfo", "ehash", established_.value);
  kernel.set(tcp, "inet_hashinfo", "ehash_mask", buckets - 1);
  kernel.set(tcp, "inet_hashinfo", "lhash2", listening_.value);
  kernel.set(tcp, "inet_hashinfo", "lhash2_mask", buckets - 1);
  udp_ = kernel.allocate(buckets * types.size("struct udp_hslot"));
  kernel.set(kernel.symbol("udp_table"), "udp_table", "hash", udp_.value);
  kernel.set(kernel.symbol("udp_table"), "udp_table", "mask", buckets - 1);
  netlink_ = kernel.allocate(32ULL * types.size("struct netlink_table"));
  kernel.put(kernel.symbol("nl_table"), netlink_.value);
  first_ = add_namespace(4026531840);
}

GuestVirtual Sockets::add_namespace(std::uint32_t number) {
  const GuestVirtual made = kernel_.allocate(kernel_.types().size("struct net"));
  kernel_.set(made, "net", "ns.inum", number);
  kernel_.set(made, "net", "ipv4.tcp_death_row.hashinfo", kernel_.symbol("tcp_hashinfo").value);
  kernel_.set(made, "net", "ipv4.udp_table", kernel_.symbol("udp_table").value);
  kernel_.set(made, "net", "unx.table.buckets", kernel_.allocate(unix_buckets * 8).value);
  const GuestVirtual interfaces = kernel_.member(made, "net", "dev_base_head");
  kernel_.put(interfaces, interfaces.value);
  kernel_.put(interfaces + 8, interfaces.value);
  const GuestVirtual head = kernel_.symbol("net_namespace_list");
  const GuestVirtual node = kernel_.member(made, "net", "list");
  const auto last = kernel_.get<std::uint64_t>(head + 8);
  kernel_.put(node, head.value);
  kernel_.put(node + 8, last);
  kernel_.put(GuestVirtual(last), node.value);
  kernel_.put(head + 8, node.value);
  return made;
}

GuestVirtual Sockets::add_interface(GuestVirtual name_space, const std::string& name,
                                    std::uint32_t index) {
  const GuestVirtual device = kernel_.allocate(kernel_.types().size("struct net_device"));
  kernel_.write(kernel_.member(device, "net_device", "name"), name);
  kernel_.set(device, "net_device", "ifindex", index);
  const GuestVirtual head = kernel_.member(name_space, "net", "dev_base_head");
  const GuestVirtual node = kernel_.member(device, "net_device", "dev_list");
  kernel_.put(node, kernel_.get<std::uint64_t>(head));
  kernel_.put(head, node.value);
  kernel_.set(device, "net_device", "nd_net.net", name_space.value);
  return device;
}

void Sockets::link(GuestVirtual head, GuestVirtual node) {
  kernel_.put(node, kernel_.get<std::uint64_t>(head));
  kernel_.put(head, node.value);
}

void Sockets::set(GuestVirtual socket, const std::string& member, std::uint64_t value) {
  kernel_.set(socket, member.starts_with("skc_") ? "sock_common" : "sock", member, value);
}

GuestVirtual Sockets::made(GuestVirtual name_space, const std::string& structure,
                           std::uint16_t family, std::uint16_t type, std::uint16_t protocol) {
  const GuestVirtual at = kernel_.allocate(kernel_.types().size("struct " + structure));
  set(at, "skc_family", family);
  set(at, "skc_state", 7);
  set(at, "skc_net.net", name_space.value);
  set(at, "sk_type", type);
  set(at, "sk_protocol", protocol);
  set(at, "sk_wmem_alloc.refs.counter", 1);
  const GuestVirtual queue = kernel_.member(at, "sock", "sk_receive_queue");
  kernel_.put(queue, queue.value);
  return at;
}

GuestVirtual Sockets::chain_of(std::uint16_t port) const {
  return established_ + port % buckets * 8;
}

GuestVirtual Sockets::listener(GuestVirtual name_space, std::uint16_t port) {
  const GuestVirtual at = made(name_space, "tcp_sock", inet, 1, 6);
  set(at, "skc_state", 10);
  set(at, "skc_num", port);
  const GuestVirtual bucket =
      listening_ + port % buckets * kernel_.types().size("struct inet_listen_hashbucket");
  link(kernel_.member(bucket, "inet_listen_hashbucket", "nulls_head"),
       kernel_.member(at, "sock_common", "skc_node"));
  return at;
}

GuestVirtual Sockets::connection(GuestVirtual name_space, std::uint16_t port,
                                 std::uint16_t remote_port, std::uint8_t state) {
  const GuestVirtual at = made(name_space, "tcp_sock", inet, 1, 6);
  set(at, "skc_state", state);
  set(at, "skc_num", port);
  set(at, "skc_dport", network_order(remote_port));
  set(at, "skc_rcv_saddr", loopback);
  set(at, "skc_daddr", loopback);
  link(chain_of(port), kernel_.member(at, "sock_common", "skc_node"));
  return at;
}

GuestVirtual Sockets::udp(GuestVirtual name_space, std::uint16_t port) {
  const GuestVirtual at = made(name_space, "udp_sock", inet, 2, 17);
  set(at, "skc_num", port);
  set(at, "skc_rcv_saddr", loopback);
  link(udp_ + port % buckets * kernel_.types().size("struct udp_hslot"),
       kernel_.member(at, "sock_common", "skc_node"));
  return at;
}

GuestVirtual Sockets::raw(GuestVirtual name_space, std::uint16_t protocol) {
  const GuestVirtual at = made(name_space, "sock", inet, 3, protocol);
  set(at, "skc_num", protocol);
  link(kernel_.member(kernel_.symbol("raw_v4_hashinfo"), "raw_hashinfo", "ht") + protocol * 8ULL,
       kernel_.member(at, "sock_common", "skc_node"));
  return at;
}

GuestVirtual Sockets::local(GuestVirtual name_space, const std::string& path, std::uint16_t type) {
  const GuestVirtual at = made(name_space, "unix_sock", 1, type, 0);
  if (!path.empty()) {
    const GuestVirtual address = kernel_.allocate(128);
    kernel_.set(address, "unix_address", "len", path.size() + 2);
    kernel_.write(kernel_.member(address, "unix_address", "name") + 2, path);
    kernel_.set(at, "unix_sock", "addr", address.value);
  }
  link(GuestVirtual(kernel_.value(name_space, "net", "unx.table.buckets")) + path.size() * 8,
       kernel_.member(at, "sock_common", "skc_node"));
  return at;
}

GuestVirtual Sockets::message(GuestVirtual socket, std::uint32_t length) {
  const GuestVirtual at = kernel_.allocate(kernel_.types().size("struct sk_buff"));
  kernel_.set(at, "sk_buff", "len", length);
  const GuestVirtual head = kernel_.member(socket, "sock", "sk_receive_queue");
  kernel_.set(at, "sk_buff", "next", kernel_.get<std::uint64_t>(head));
  kernel_.put(head, at.value);
  return at;
}

GuestVirtual Sockets::netlink(GuestVirtual name_space, std::uint16_t protocol, std::uint32_t port) {
  const GuestVirtual at = made(name_space, "netlink_sock", 16, 3, protocol);
  kernel_.set(at, "netlink_sock", "portid", port);
  const GuestVirtual protocol_at =
      netlink_ + std::uint64_t{protocol} * kernel_.types().size("struct netlink_table");
  GuestVirtual table(kernel_.value(protocol_at, "netlink_table", "hash.tbl"));
  if (table.value == 0) {
    table = kernel_.allocate(kernel_.types().size("struct bucket_table") + 64ULL);
    kernel_.set(table, "bucket_table", "size", 8);
    kernel_.set(protocol_at, "netlink_table", "hash.tbl", table.value);
  }
  const GuestVirtual head = kernel_.member(table, "bucket_table", "buckets") + port % 8 * 8ULL;
  const GuestVirtual node = kernel_.member(at, "netlink_sock", "node");
  const auto next = kernel_.get<std::uint64_t>(head);
  kernel_.put(node, next == 0 ? head.value | 1 : next & ~1ULL);
  kernel_.put(head, node.value | 1);  // its lock is held
  kernel_.set(protocol_at, "netlink_table", "hash.nelems.counter", 1);
  return at;
}

GuestVirtual Sockets::packet(GuestVirtual name_space, std::uint32_t interface) {
  const GuestVirtual at = made(name_space, "packet_sock", 17, 3, 0);
  kernel_.set(at, "packet_sock", "num", network_order(0x0806));
  kernel_.set(at, "packet_sock", "ifindex", interface);
  link(kernel_.member(name_space, "net", "packet.sklist"),
       kernel_.member(at, "sock_common", "skc_node"));
  return at;
}

GuestVirtual Sockets::file_behind(GuestVirtual socket, std::uint64_t inode) {
  const GuestVirtual at = kernel_.allocate(kernel_.types().size("struct socket_alloc"));
  kernel_.set(at, "socket_alloc", "socket.sk", socket.value);
  kernel_.set(at, "socket_alloc", "vfs_inode.i_ino", inode);
  const GuestVirtual made = kernel_.member(at, "socket_alloc", "socket");
  set(socket, "sk_socket", made.value);
  return made;
}

GuestVirtual Sockets::open(Files& files, int pid, GuestVirtual socket) {
  const GuestVirtual file = files.open(pid, files.root_mount(), files.root_entry());
  kernel_.set(file, "file", "f_op", kernel_.symbol("socket_file_ops").value);
  kernel_.set(file, "file", "private_data", socket.value);
  return file;
}

}  // namespace vitrine::synthetic
