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

void SocketTables::read(Reader& reader, const std::vector<NetNamespace>& namespaces,
                        std::vector<FoundSocket>& found, Outcome& outcome) {
  steps_.renew();
  const auto note = [&outcome](bool whole, std::string_view table) {
    if (whole) return;
    outcome.complete = false;
    outcome.warnings.push_back("the kernel's table of " + std::string(table) +
                               " sockets could not be read whole: it is damaged or changed while "
                               "it was read");
  };
  note(read_tcp_of(reader, namespaces, found), "TCP");
  note(read_udp_of(reader, namespaces, found), "UDP");
  note(read_raw(reader, found), "raw");
  note(read_unix(reader, namespaces, found), "Unix");
  note(read_netlink(reader, found), "netlink");
  note(read_packet(reader, namespaces, found), "packet");
}

// One table for all namespaces, and since 6.1 (d1e5e6408b30) one each for those that want it. All
// share the listeners.
bool SocketTables::read_tcp_of(Reader& reader, const std::vector<NetNamespace>& namespaces,
                               std::vector<FoundSocket>& found) {
  base::GuestVirtual listeners;
  std::uint32_t mask = 0;
  if (!reader.load(tcp_ + listening_, listeners.value) ||
      !reader.load(tcp_ + listening_mask_, mask))
    return false;
  bool whole = read_buckets(reader,
                            {.at = listeners,
                             .count = std::uint64_t{mask} + 1,
                             .heads = listening_heads_,
                             .node = node_,
                             .kind = SocketKind::tcp,
                             .first_end = kListenEnd},
                            found);
  std::set<base::GuestVirtual> tables{tcp_};
  for (const NetNamespace& name_space : namespaces) {
    base::GuestVirtual own;
    if (!own_tcp_) break;
    if (!reader.load(name_space.at + *own_tcp_, own.value))
      whole = false;
    else if (own.value != 0)
      tables.insert(own);
  }
  for (const base::GuestVirtual table : tables) whole = read_tcp(reader, table, found) && whole;
  return whole;
}

bool SocketTables::read_tcp(Reader& reader, base::GuestVirtual info,
                            std::vector<FoundSocket>& found) {
  base::GuestVirtual buckets;
  std::uint32_t mask = 0;
  return reader.load(info + established_, buckets.value) &&
         reader.load(info + established_mask_, mask) &&
         read_buckets(reader,
                      {.at = buckets,
                       .count = std::uint64_t{mask} + 1,
                       .heads = established_heads_,
                       .node = node_,
                       .kind = SocketKind::tcp,
                       .first_end = 0},
                      found);
}

// As with TCP, since 6.2 (9804985bf27f).
bool SocketTables::read_udp_of(Reader& reader, const std::vector<NetNamespace>& namespaces,
                               std::vector<FoundSocket>& found) {
  std::set<base::GuestVirtual> tables{udp_};
  if (udplite_) tables.insert(*udplite_);
  bool whole = true;
  for (const NetNamespace& name_space : namespaces) {
    base::GuestVirtual own;
    if (!own_udp_) break;
    if (!reader.load(name_space.at + *own_udp_, own.value))
      whole = false;
    else if (own.value != 0)
      tables.insert(own);
  }
  for (const base::GuestVirtual table : tables) whole = read_udp(reader, table, found) && whole;
  return whole;
}

bool SocketTables::read_udp(Reader& reader, base::GuestVirtual table,
                            std::vector<FoundSocket>& found) {
  base::GuestVirtual buckets;
  std::uint32_t mask = 0;
  return reader.load(table + udp_hash_, buckets.value) && reader.load(table + udp_mask_, mask) &&
         read_buckets(reader,
                      {.at = buckets,
                       .count = std::uint64_t{mask} + 1,
                       .heads = udp_heads_,
                       .node = node_,
                       .kind = SocketKind::udp},
                      found);
}

bool SocketTables::read_raw(Reader& reader, std::vector<FoundSocket>& found) {
  bool whole = true;
  for (const auto& table : {raw4_, raw6_})
    whole = (!table || read_buckets(reader,
                                    {.at = *table + raw_hash_,
                                     .count = kRawBuckets,
                                     .heads = {.stride = 8, .first = 0},
                                     .node = node_,
                                     .kind = SocketKind::raw},
                                    found)) &&
            whole;
  return whole;
}

// One table each namespace, since 6.0 (cf21b355ccb3).
bool SocketTables::read_unix(Reader& reader, const std::vector<NetNamespace>& namespaces,
                             std::vector<FoundSocket>& found) {
  Buckets buckets{.at = {},
                  .count = kUnixBuckets,
                  .heads = {.stride = 8, .first = 0},
                  .node = node_,
                  .kind = SocketKind::local};
  bool whole = true;
  for (const NetNamespace& name_space : namespaces) {
    whole = reader.load(name_space.at + unix_, buckets.at.value) &&
            read_buckets(reader, buckets, found) && whole;
  }
  return whole;
}

// A resizable hash table for each protocol (lib/rhashtable.c), which has a successor while it is
// resized. A bucket's lowest bit is its lock.
bool SocketTables::read_netlink(Reader& reader, std::vector<FoundSocket>& found) {
  base::GuestVirtual protocols;
  if (!reader.load(netlink_, protocols.value)) return false;
  bool whole = protocols.value != 0;
  for (std::uint32_t protocol = 0; whole && protocol < kNetlinkProtocols; ++protocol) {
    const base::GuestVirtual at = protocols + std::uint64_t{protocol} * netlink_size_;
    std::uint32_t sockets = 0;
    base::GuestVirtual table;
    whole = reader.load(at + netlink_count_, sockets);
    if (sockets == 0) continue;
    whole = whole && reader.load(at + netlink_table_, table.value);
    CycleGuard guard;
    while (whole && table.value != 0) {
      std::uint32_t count = 0;
      std::uint32_t nested = 0;
      // Nested where memory was short when it grew: no chains then, but a tree of them.
      whole = steps_.spend(1) && !guard.closes(table) &&
              reader.load(table + bucket_count_, count) && reader.load(table + nested_, nested) &&
              nested == 0 &&
              read_buckets(reader,
                           {.at = table + buckets_,
                            .count = count,
                            .heads = {.stride = 8, .first = 0},
                            .node = netlink_node_,
                            .kind = SocketKind::netlink},
                           found) &&
              reader.load(table + future_, table.value);
    }
  }
  return whole;
}

bool SocketTables::read_packet(Reader& reader, const std::vector<NetNamespace>& namespaces,
                               std::vector<FoundSocket>& found) {
  bool whole = true;
  for (const NetNamespace& name_space : namespaces)
    whole = read_buckets(reader,
                         {.at = name_space.at + packets_,
                          .count = 1,
                          .heads = {.stride = 8, .first = 0},
                          .node = node_,
                          .kind = SocketKind::packet},
                         found) &&
            whole;
  return whole;
}

// Page by page: a table is mostly empty.
bool SocketTables::read_buckets(Reader& reader, const Buckets& buckets,
                                std::vector<FoundSocket>& found) {
  if (buckets.count > kMaxBuckets || !steps_.spend(buckets.count)) return false;
  const std::uint32_t stride = buckets.heads.stride;
  const std::uint64_t per_page = kPage / stride;
  std::array<std::byte, kPage> bytes;
  bool whole = true;
  for (std::uint64_t done = 0; done < buckets.count; done += per_page) {
    const std::uint64_t some = std::min(per_page, buckets.count - done);
    if (!reader.load_bytes(buckets.at + done * stride, std::span(bytes).first(some * stride))) {
      whole = false;
      continue;
    }
    for (std::uint64_t i = 0; i < some; ++i) {
      std::uint64_t link = 0;
      std::memcpy(&link, bytes.data() + i * stride + buckets.heads.first, sizeof link);
      if (link == 0 || (link & 1) != 0)
        link = buckets.kind == SocketKind::netlink ? link & ~1ULL : 0;
      if (link != 0) whole = read_chain(reader, buckets, done + i, link, found) && whole;
    }
    if (steps_.spent()) return false;
  }
  return whole;
}

bool SocketTables::read_chain(Reader& reader, const Buckets& of, std::uint64_t number,
                              std::uint64_t link, std::vector<FoundSocket>& found) {
  const base::GuestVirtual head = of.at + number * of.heads.stride + of.heads.first;
  const std::size_t before = found.size();
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    CycleGuard guard;
    while (link != 0 && (link & 1) == 0) {
      const base::GuestVirtual node(link);
      if (found.size() >= kMaxSockets || !steps_.spend(1) || guard.closes(node)) return false;
      found.push_back({base::GuestVirtual(link - of.node), of.kind});
      if (!reader.load(node, link)) return false;
    }
    if (!of.first_end || link >> 1 == *of.first_end + number) return true;
    found.resize(before);
    if (!reader.load(head, link)) return false;
  }
  return false;
}

}  // namespace vitrine::views
