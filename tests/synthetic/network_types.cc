#include "tests/synthetic/network_types.h"

namespace vitrine::synthetic {
namespace {

void add_tables(Types& types) {
  types.add_struct("inet_ehash_bucket", {{"chain", "struct hlist_head"}});
  types.add_struct("inet_listen_hashbucket",
                   {{"lock", "u32"}, {"nulls_head", "struct hlist_head"}});
  types.add_spread("inet_hashinfo",
                   {{"ehash", "struct inet_ehash_bucket *"},
                    {"ehash_mask", "u32"},
                    {"lhash2_mask", "u32"},
                    {"lhash2", "struct inet_listen_hashbucket *"}},
                   128, 0, 128);
  types.add_struct("udp_hslot", {{"head", "struct hlist_head"}, {"count", "int"}, {"lock", "u32"}});
  types.add_struct("udp_table", {{"hash", "struct udp_hslot *"}, {"mask", "u32"}});
  types.add_struct("raw_hashinfo", {{"lock", "u64"}, {"ht", "struct hlist_head[256]"}});
  types.add_struct("rhashtable", {{"tbl", "struct bucket_table *"}, {"nelems", "atomic_t"}});
  types.add_struct("bucket_table", {{"size", "u32"},
                                    {"nest", "u32"},
                                    {"future_tbl", "struct bucket_table *"},
                                    {"buckets", "struct hlist_head[0]"}});
  types.add_struct("netlink_table", {{"hash", "struct rhashtable"}, {"groups", "u32"}});
}

void add_namespaces(Types& types) {
  types.add_struct("netns_packet", {{"sklist_lock", "u64"}, {"sklist", "struct hlist_head"}});
  types.add_struct("unix_table", {{"locks", "void *"}, {"buckets", "struct hlist_head *"}});
  types.add_struct("netns_unix", {{"table", "struct unix_table"}});
  types.add_struct("inet_timewait_death_row", {{"hashinfo", "struct inet_hashinfo *"}});
  types.add_struct("netns_ipv4", {{"tcp_death_row", "struct inet_timewait_death_row"},
                                  {"rules_ops", "void *"},
                                  {"fib_table_hash", "struct hlist_head *"},
                                  {"udp_table", "struct udp_table *"}});
  types.add_struct("netns_ipv6", {{"fib6_null_entry", "struct fib6_info *"},
                                  {"fib_table_hash", "struct hlist_head *"}});
  types.add_spread("net",
                   {{"list", "struct list_head"},
                    {"ns", "struct ns_common"},
                    {"dev_base_head", "struct list_head"},
                    {"packet", "struct netns_packet"},
                    {"unx", "struct netns_unix"},
                    {"ipv4", "struct netns_ipv4"},
                    {"ipv6", "struct netns_ipv6"}},
                   1024, 0, 512);
}

void add_interfaces(Types& types) {
  types.add_struct("net_device_stats", {{"rx_packets", "u64"},
                                        {"tx_packets", "u64"},
                                        {"rx_bytes", "u64"},
                                        {"tx_bytes", "u64"},
                                        {"rx_errors", "u64"},
                                        {"tx_errors", "u64"},
                                        {"rx_dropped", "u64"},
                                        {"tx_dropped", "u64"}});
  types.add_struct("net_device_core_stats", {{"rx_dropped", "u64"}, {"tx_dropped", "u64"}});
  types.add_struct("pcpu_lstats", {{"packets", "u64"}, {"bytes", "u64"}});
  types.add_struct(
      "pcpu_sw_netstats",
      {{"rx_packets", "u64"}, {"rx_bytes", "u64"}, {"tx_packets", "u64"}, {"tx_bytes", "u64"}});
  types.add_struct("net_device_ops", {{"ndo_get_stats64", "void *"}, {"ndo_get_stats", "void *"}});
  types.add_struct("possible_net_t", {{"net", "struct net *"}});
  types.add_spread("net_device",
                   {{"name", "char[16]"},
                    {"ifindex", "int"},
                    {"dev_list", "struct list_head"},
                    {"nd_net", "struct possible_net_t"},
                    {"type", "u16"},
                    {"flags", "u32"},
                    {"mtu", "u32"},
                    {"operstate", "u8"},
                    {"addr_len", "u8"},
                    {"dev_addr", "void *"},
                    {"ip_ptr", "struct in_device *"},
                    {"ip6_ptr", "struct inet6_dev *"},
                    {"netdev_ops", "struct net_device_ops *"},
                    {"stats", "struct net_device_stats"},
                    {"tstats", "void *"},
                    {"core_stats", "void *"}},
                   1024, 0, 1024);
  types.add_struct("in_device", {{"dev", "void *"}, {"ifa_list", "struct in_ifaddr *"}});
  types.add_spread("in_ifaddr",
                   {{"ifa_next", "struct in_ifaddr *"},
                    {"ifa_local", "u32"},
                    {"ifa_address", "u32"},
                    {"ifa_broadcast", "u32"},
                    {"ifa_scope", "u8"},
                    {"ifa_prefixlen", "u8"},
                    {"ifa_flags", "u32"},
                    {"ifa_label", "char[16]"}},
                   120, 0, 120);
  types.add_struct("inet6_dev", {{"dev", "void *"}, {"addr_list", "struct list_head"}});
  types.add_spread("inet6_ifaddr",
                   {{"addr", "u64[2]"},
                    {"prefix_len", "u32"},
                    {"flags", "u32"},
                    {"scope", "u16"},
                    {"if_list", "struct list_head"},
                    {"peer_addr", "u64[2]"}},
                   296, 0, 296);
  types.add_struct("neigh_table", {{"family", "int"}, {"nht", "struct neigh_hash_table *"}});
  types.add_struct("neigh_hash_table",
                   {{"hash_heads", "struct hlist_head *"}, {"hash_shift", "u32"}});
  types.add_spread("neighbour",
                   {{"hash", "struct list_head"},
                    {"nud_state", "u8"},
                    {"ha", "char[32]"},
                    {"dev", "struct net_device *"},
                    {"primary_key", "char[0]", 304}},
                   320, 0, 304);
}

void add_hops(Types& types) {
  types.add_struct(
      "fib_nh_common",
      {{"nhc_dev", "struct net_device *"}, {"nhc_gw_family", "u8"}, {"nhc_gw", "u64[2]"}});
  types.add_struct("fib_nh", {{"nh_common", "struct fib_nh_common"}, {"nh_parent", "void *"}});
  types.add_struct("nexthop", {{"id", "u32"}, {"is_group", "u8"}, {"nh_info", "void *"}});
  types.add_struct("nh_info", {{"family", "u8"}, {"fib_nhc", "struct fib_nh_common"}});
  types.add_struct("nh_grp_entry", {{"nh", "struct nexthop *"}, {"weight", "u32"}});
  types.add_struct("nh_group", {{"num_nh", "u16"}, {"nh_entries", "struct nh_grp_entry[0]"}});
}

void add_routes(Types& types) {
  types.add_struct("key_vector", {{"key", "u32"},
                                  {"pos", "u8"},
                                  {"bits", "u8"},
                                  {"slen", "u8"},
                                  {"tnode", "struct hlist_head[0]"}});
  types.add_struct("trie", {{"kv", "struct key_vector[1]"}});
  types.add_struct("fib_table",
                   {{"tb_hlist", "struct list_head"}, {"tb_id", "u32"}, {"tb_data", "void *"}});
  types.add_struct("fib_alias", {{"fa_list", "struct list_head"},
                                 {"fa_info", "struct fib_info *"},
                                 {"fa_type", "u8"},
                                 {"fa_slen", "u8"},
                                 {"tb_id", "u32"}});
  types.add_struct("fib_info", {{"fib_protocol", "u8"},
                                {"fib_scope", "u8"},
                                {"fib_prefsrc", "u32"},
                                {"fib_priority", "u32"},
                                {"fib_nhs", "int"},
                                {"nh", "struct nexthop *"},
                                {"fib_nh", "struct fib_nh[0]"}});
  types.add_struct("rt6key", {{"addr", "u64[2]"}, {"plen", "int"}});
  types.add_struct("fib6_node", {{"left", "struct fib6_node *"},
                                 {"right", "struct fib6_node *"},
                                 {"leaf", "struct fib6_info *"},
                                 {"fn_flags", "u16"}});
  types.add_struct(
      "fib6_table",
      {{"tb6_hlist", "struct list_head"}, {"tb6_id", "u32"}, {"tb6_root", "struct fib6_node"}});
  types.add_struct("fib6_info", {{"fib6_next", "struct fib6_info *"},
                                 {"fib6_dst", "struct rt6key"},
                                 {"fib6_prefsrc", "struct rt6key"},
                                 {"fib6_metric", "u32"},
                                 {"fib6_protocol", "u8"},
                                 {"fib6_type", "u8"},
                                 {"nh", "struct nexthop *"},
                                 {"fib6_nh", "struct fib_nh[0]"}});
}

void add_sockets(Types& types) {
  types.add_spread("sock_common",
                   {{"skc_daddr", "u32"},
                    {"skc_rcv_saddr", "u32"},
                    {"skc_dport", "u16"},
                    {"skc_num", "u16"},
                    {"skc_family", "u16"},
                    {"skc_state", "u8"},
                    {"skc_bound_dev_if", "int"},
                    {"skc_net", "struct possible_net_t"},
                    {"skc_v6_daddr", "u64[2]"},
                    {"skc_v6_rcv_saddr", "u64[2]"},
                    {"skc_node", "struct list_head"}},
                   136, 0, 136);
  types.add_struct("sk_buff_head",
                   {{"next", "struct sk_buff *"}, {"prev", "struct sk_buff *"}, {"qlen", "u32"}});
  types.add_struct("<sk_backlog>", {{"rmem_alloc", "atomic_t"}, {"len", "int"}});
  types.add_spread("sock",
                   {{"__sk_common", "struct sock_common", 0},
                    {"sk_socket", "struct socket *"},
                    {"sk_type", "u16"},
                    {"sk_protocol", "u16"},
                    {"sk_uid", "kuid_t"},
                    {"sk_ack_backlog", "u32"},
                    {"sk_max_ack_backlog", "u32"},
                    {"sk_backlog", "struct <sk_backlog>"},
                    {"sk_wmem_alloc", "refcount_t"},
                    {"sk_receive_queue", "struct sk_buff_head"}},
                   512, 136, 512);
  types.add_struct(
      "inet_timewait_sock",
      {{"__tw_common", "struct sock_common"}, {"tw_mark", "u32"}, {"tw_substate", "u8"}});
  const auto with = [&types](const std::string& name, std::vector<Field> fields) {
    fields.insert(fields.begin(), {"sk", "struct sock", 0});
    types.add_spread(name, std::move(fields), 1024, 512, 1024);
  };
  with("tcp_sock",
       {{"rcv_nxt", "u32"}, {"copied_seq", "u32"}, {"write_seq", "u32"}, {"snd_una", "u32"}});
  with("udp_sock", {{"forward_deficit", "int"}});
  with("unix_sock", {{"addr", "struct unix_address *"}, {"peer", "struct sock *"}});
  with("netlink_sock", {{"portid", "u32"}, {"dst_portid", "u32"}, {"node", "struct hlist_head"}});
  with("packet_sock", {{"ifindex", "int"}, {"num", "u16"}});
  types.add_struct("unix_address", {{"refcnt", "refcount_t"}, {"len", "int"}, {"name", "char[0]"}});
  types.add_struct("unix_skb_parms", {{"pid", "void *"}, {"consumed", "u32"}});
  types.add_spread(
      "sk_buff",
      {{"next", "struct sk_buff *"}, {"cb", "char[48]"}, {"len", "u32"}, {"truesize", "u32"}}, 232,
      0, 232);
  types.add_struct("socket", {{"state", "u32"}, {"type", "u16"}, {"sk", "struct sock *"}});
  types.add_struct("socket_alloc", {{"socket", "struct socket"}, {"vfs_inode", "struct inode"}});
}

}  // namespace

void add_network(Types& types) {
  types.add_struct("hlist_head", {{"first", "void *"}});
  add_tables(types);
  add_namespaces(types);
  add_interfaces(types);
  add_hops(types);
  add_routes(types);
  add_sockets(types);
}

}  // namespace vitrine::synthetic
