#include "vitrine/views/socket_tables.h"

namespace vitrine::views {
namespace {

using base::Code;

base::Error missing(std::string_view symbol) {
  return {Code::unsupported, "this kernel's kallsyms does not name " + std::string(symbol),
          "the guest's kernel needs CONFIG_INET and CONFIG_KALLSYMS_ALL"};
}

}  // namespace

base::Result<SocketTables> SocketTables::attach(const kernel::Kernel& kernel, Resolver& at) {
  enum Name : std::size_t { kTcp, kUdp, kUdpLite, kRaw4, kRaw6, kNetlink, kNames };
  constexpr std::array<std::string_view, kNames> kSymbols{"tcp_hashinfo",    "udp_table",
                                                          "udplite_table",   "raw_v4_hashinfo",
                                                          "raw_v6_hashinfo", "nl_table"};
  const auto symbols = kernel.symbols.find(kSymbols);
  for (const Name needed : {kTcp, kUdp, kRaw4, kNetlink})
    if (!symbols[needed]) return base::fail(missing(kSymbols.at(needed)));
  SocketTables tables;
  tables.tcp_ = *symbols[kTcp];
  tables.udp_ = *symbols[kUdp];
  tables.udplite_ = symbols[kUdpLite];
  tables.raw4_ = symbols[kRaw4];
  tables.raw6_ = symbols[kRaw6];
  tables.netlink_ = *symbols[kNetlink];

  const kernel::TypeLookup& types = kernel.types;
  tables.node_ = at("sock_common", "skc_node");
  tables.established_ = at("inet_hashinfo", "ehash");
  tables.established_mask_ = at("inet_hashinfo", "ehash_mask");
  tables.established_heads_ = {at.size("inet_ehash_bucket"), at("inet_ehash_bucket", "chain")};
  tables.listening_ = at("inet_hashinfo", "lhash2");
  tables.listening_mask_ = at("inet_hashinfo", "lhash2_mask");
  tables.listening_heads_ = {at.size("inet_listen_hashbucket"),
                             at("inet_listen_hashbucket", "nulls_head")};
  if (types.has_member("net", "ipv4.tcp_death_row.hashinfo"))
    tables.own_tcp_ = at("net", "ipv4.tcp_death_row.hashinfo");
  if (types.has_member("net", "ipv4.udp_table")) tables.own_udp_ = at("net", "ipv4.udp_table");
  tables.unix_ = at("net", "unx.table.buckets");
  tables.udp_hash_ = at("udp_table", "hash");
  tables.udp_mask_ = at("udp_table", "mask");
  tables.udp_heads_ = {at.size("udp_hslot"), at("udp_hslot", "head")};
  tables.raw_hash_ = at("raw_hashinfo", "ht");
  tables.packets_ = at("net", "packet.sklist");
  tables.netlink_size_ = at.size("netlink_table");
  tables.netlink_count_ = at("netlink_table", "hash.nelems");
  tables.netlink_table_ = at("netlink_table", "hash.tbl");
  tables.bucket_count_ = at("bucket_table", "size");
  tables.nested_ = at("bucket_table", "nest");
  tables.future_ = at("bucket_table", "future_tbl");
  tables.buckets_ = at("bucket_table", "buckets");
  tables.netlink_node_ = at("netlink_sock", "node");
  if (at.error()) return base::fail(*at.error());
  for (const Heads& heads : {tables.established_heads_, tables.listening_heads_, tables.udp_heads_})
    if (heads.stride > kPage || heads.first + 8ULL > heads.stride)
      return base::fail(
          Code::inconsistent,
          "the guest's BTF gives the heads of its tables of sockets no plausible size");
  return tables;
}

}  // namespace vitrine::views
