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
                                  {"udp_table", "struct udp_table *"}});
  types.add_spread("net",
                   {{"list", "struct list_head"},
                    {"ns", "struct ns_common"},
                    {"dev_base_head", "struct list_head"},
                    {"packet", "struct netns_packet"},
                    {"unx", "struct netns_unix"},
                    {"ipv4", "struct netns_ipv4"}},
                   1024, 0, 512);
  types.add_spread("net_device",
                   {{"name", "char[16]"}, {"ifindex", "int"}, {"dev_list", "struct list_head"}},
                   512, 0, 512);
}

void add_sockets(Types& types) {
  types.add_struct("possible_net_t", {{"net", "struct net *"}});
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
  add_sockets(types);
}

}  // namespace vitrine::synthetic
