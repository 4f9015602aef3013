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

  bool read_tcp(Reader& reader, base::GuestVirtual info, std::vector<FoundSocket>& found);
  bool read_tcp_of(Reader& reader, const std::vector<NetNamespace>& namespaces,
                   std::vector<FoundSocket>& found);
  bool read_udp(Reader& reader, base::GuestVirtual table, std::vector<FoundSocket>& found);
  bool read_udp_of(Reader& reader, const std::vector<NetNamespace>& namespaces,
                   std::vector<FoundSocket>& found);
  bool read_raw(Reader& reader, std::vector<FoundSocket>& found);
  bool read_unix(Reader& reader, const std::vector<NetNamespace>& namespaces,
                 std::vector<FoundSocket>& found);
  bool read_netlink(Reader& reader, std::vector<FoundSocket>& found);
  bool read_packet(Reader& reader, const std::vector<NetNamespace>& namespaces,
                   std::vector<FoundSocket>& found);
  bool read_buckets(Reader& reader, const Buckets& buckets, std::vector<FoundSocket>& found);
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

}  // namespace vitrine::views
