// The kernel's own tables of sockets: hash tables of TCP, UDP, raw, Unix and netlink, and the lists
// of packet sockets. They hold each socket that takes part in anything, whether or not a process
// still has it open.
//
// Each chain has a lock or is guarded by a mutex for writers; RCU readers walk it as this does. A
// chain that ends with another's end mark (include/linux/list_nulls.h) was left half-way, since its
// socket moved: it is walked again, as the kernel does.
//
// Thread contract: one thread at a time.
// Cost: the tables themselves, which are mostly empty (32 KiB and up), and 1 load a socket.
#pragma once

#include <array>
#include <cstring>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "vitrine/views/net_namespaces.h"
#include "vitrine/views/socket.h"
#include "vitrine/views/view.h"

namespace vitrine::views {

struct FoundSocket {
  base::GuestVirtual at;  // struct sock
  SocketKind kind = SocketKind::other;
};

class SocketTables {
 public:
  // Errors: the symbol that is missing, or `inconsistent`; `at` tells which member is missing.
  static base::Result<SocketTables> attach(const kernel::Kernel& kernel, Resolver& at);

  // Appends what the tables of all namespaces hold; a socket that moves meanwhile may come twice.
  // Says in `outcome` which table could not be read whole.
  template <class Reader>
  void read(Reader& reader, const std::vector<NetNamespace>& namespaces,
            std::vector<FoundSocket>& found, Outcome& outcome);

  static constexpr std::size_t kMaxSockets = 1U << 20;

 private:
  static constexpr std::uint64_t kPage = 4096;
  static constexpr std::uint64_t kMaxBuckets = 16U << 20;  // of a table: TCP's greatest
  static constexpr int kAttempts = 3;                      // walks of a chain that is left half-way
  static constexpr std::uint32_t kNetlinkProtocols = 32;   // MAX_LINKS
  static constexpr std::uint64_t kUnixBuckets = 512;       // UNIX_HASH_SIZE
  static constexpr std::uint64_t kRawBuckets = 256;        // RAW_HTABLE_SIZE
  static constexpr std::uint64_t kListenEnd = 1U << 29;    // LISTENING_NULLS_BASE

  // Where the heads of chains are, one after the other.
  struct Heads {
    std::uint32_t stride = 0;  // bytes from one to the next
    std::uint32_t first = 0;   // the pointer's offset
  };
  struct Buckets {
    base::GuestVirtual at;
    std::uint64_t count = 0;
    Heads heads;
    std::uint32_t node = 0;  // offset within the socket of what its chain links
    SocketKind kind = SocketKind::other;
    // The end mark of the first bucket's chain, where each has one of its own.
    std::optional<std::uint64_t> first_end = {};
  };

  SocketTables() = default;

  template <class Reader>
  bool read_tcp(Reader& reader, base::GuestVirtual info, std::vector<FoundSocket>& found);
  template <class Reader>
  bool read_tcp_of(Reader& reader, const std::vector<NetNamespace>& namespaces,
                   std::vector<FoundSocket>& found);
  template <class Reader>
  bool read_udp(Reader& reader, base::GuestVirtual table, std::vector<FoundSocket>& found);
  template <class Reader>
  bool read_udp_of(Reader& reader, const std::vector<NetNamespace>& namespaces,
                   std::vector<FoundSocket>& found);
  template <class Reader>
  bool read_raw(Reader& reader, std::vector<FoundSocket>& found);
  template <class Reader>
  bool read_unix(Reader& reader, const std::vector<NetNamespace>& namespaces,
                 std::vector<FoundSocket>& found);
  template <class Reader>
  bool read_netlink(Reader& reader, std::vector<FoundSocket>& found);
  template <class Reader>
  bool read_packet(Reader& reader, const std::vector<NetNamespace>& namespaces,
                   std::vector<FoundSocket>& found);
  template <class Reader>
  bool read_buckets(Reader& reader, const Buckets& buckets, std::vector<FoundSocket>& found);
  template <class Reader>
  bool read_chain(Reader& reader, const Buckets& of, std::uint64_t number, std::uint64_t link,
                  std::vector<FoundSocket>& found);

  base::GuestVirtual tcp_, udp_, netlink_;
  // Absent where the kernel has none of it: UDP-Lite was removed in 7.1, IPv6 may be left out.
  std::optional<base::GuestVirtual> udplite_, raw4_, raw6_;
  std::uint32_t node_ = 0;  // of struct sock, as all following
  // Of struct inet_hashinfo.
  std::uint32_t established_ = 0, established_mask_ = 0, listening_ = 0, listening_mask_ = 0;
  Heads established_heads_, listening_heads_;
  std::optional<std::uint32_t> own_tcp_, own_udp_;  // of struct net
  std::uint32_t udp_hash_ = 0, udp_mask_ = 0;       // of struct udp_table
  Heads udp_heads_;
  std::uint32_t raw_hash_ = 0;            // of struct raw_hashinfo
  std::uint32_t unix_ = 0, packets_ = 0;  // of struct net
  std::uint32_t netlink_size_ = 0, netlink_count_ = 0, netlink_table_ = 0;  // of netlink_table
  std::uint32_t bucket_count_ = 0, nested_ = 0, future_ = 0, buckets_ = 0;  // of bucket_table
  std::uint32_t netlink_node_ = 0;                                          // of netlink_sock
  Budget steps_{64U << 20};  // buckets and links, of all tables
};

template <class Reader>
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
template <class Reader>
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

template <class Reader>
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
template <class Reader>
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

template <class Reader>
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

template <class Reader>
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
template <class Reader>
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
template <class Reader>
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

template <class Reader>
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
template <class Reader>
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

template <class Reader>
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
