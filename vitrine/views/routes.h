// The guest's routes, named after ip route: one row per route and next hop, of IPv4 and IPv6, of
// all tables, in every network namespace.
//
// Read from the compressed tries of IPv4 (net/ipv4/fib_trie.c) and the trees of IPv6
// (net/ipv6/ip6_fib.c), which writers change under the RTNL and table locks, and RCU readers walk.
//
// Thread contract: one thread at a time per object. Cost: about 15 loads a route, and the inner
// nodes.
#pragma once

#include <array>
#include <set>
#include <vector>

#include "vitrine/views/inet_address.h"
#include "vitrine/views/net_namespaces.h"
#include "vitrine/views/view.h"

namespace vitrine::views {

class Routes final : public View {
 public:
  // Errors: the member or symbol that is missing.
  static base::Result<std::unique_ptr<View>> attach(const kernel::Kernel& kernel,
                                                    memory::PhysicalMemory& memory);

  static std::span<const Column> declared_columns();

  std::string_view name() const override { return "routes"; }
  std::span<const Column> columns() const override { return declared_columns(); }
  Outcome collect(Reader& reader) override;
  std::size_t size() const override { return rows_.size(); }
  Row row(std::size_t index) const override { return rows_[index]; }

 private:
  enum ColumnIndex : unsigned {
    kNamespace,
    kFamily,
    kTable,
    kType,
    kDestination,
    kGateway,
    kInterface,
    kSource,
    kMetric,
    kScope,
    kProtocol,
    kColumns
  };
  static const std::array<Column, kColumns> kColumnDeclarations;

  // Offsets in bytes within the structure that holds each.
  struct Fields {
    std::uint32_t tables = 0, tables6 = 0;  // net: heads of hash tables of routing tables
    std::uint32_t table_count = 0;          // heads of each
    std::uint32_t link = 0, trie = 0;       // fib_table
    std::uint32_t trie_root = 0;            // trie
    std::uint32_t position = 0, bits = 0, key = 0, children = 0;  // key_vector
    std::uint32_t alias_link = 0, alias_info = 0, alias_type = 0, suffix = 0, alias_table = 0;
    std::uint32_t source = 0, protocol = 0, scope = 0, metric = 0, hops = 0, hop_count = 0,
                  object = 0, hop_size = 0;                     // fib_info
    std::uint32_t device = 0, gateway_family = 0, gateway = 0;  // fib_nh_common
    std::uint32_t group = 0, object_info = 0, info_hop = 0, group_count = 0, group_entries = 0,
                  entry_size = 0, entry_object = 0;  // nexthop, nh_info, nh_group, nh_grp_entry
    bool has_inet6 = false;
    std::uint32_t null_entry6 = 0;                    // net
    std::uint32_t link6 = 0, number6 = 0, root6 = 0;  // fib6_table
    std::uint32_t leaf6 = 0, node_flags6 = 0;         // fib6_node
    std::vector<std::uint32_t> branches6;             // fib6_node
    std::uint32_t next6 = 0, destination6 = 0, destination_bits6 = 0, flags6 = 0, source6 = 0,
                  source_bits6 = 0, metric6 = 0, protocol6 = 0, type6 = 0, object6 = 0,
                  hop6 = 0;  // fib6_info
  };

  Routes(NetNamespaces namespaces, Fields fields)
      : namespaces_(std::move(namespaces)), fields_(std::move(fields)) {}

  static void resolve_inet(Resolver& at, const kernel::TypeLookup& types, Fields& fields);
  static void resolve_hops(Resolver& at, Fields& fields);
  static void resolve_inet6(Resolver& at, const kernel::TypeLookup& types, Fields& fields);

  template <class Take>
  bool each_table(Reader& reader, base::GuestVirtual heads, std::uint32_t link, Take take);
  bool read_trie(Reader& reader, base::GuestVirtual trie, const Row& begun);
  bool read_leaf(Reader& reader, base::GuestVirtual leaf, std::uint32_t key, const Row& begun);
  bool add_inet(Reader& reader, base::GuestVirtual alias, std::uint32_t key, const Row& begun);
  bool read_tree(Reader& reader, base::GuestVirtual table, base::GuestVirtual none,
                 const Row& begun);
  bool read_node(Reader& reader, base::GuestVirtual node, base::GuestVirtual none,
                 const Row& begun);
  bool add_inet6(Reader& reader, base::GuestVirtual route, const Row& begun);
  bool add_hops_of(Reader& reader, base::GuestVirtual object, const Row& route);
  bool add_hop(Reader& reader, base::GuestVirtual hop, Row row);

  NetNamespaces namespaces_;
  Fields fields_;
  Budget steps_{16U << 20};  // nodes and links, of all tables
  std::vector<Row> rows_;
};

}  // namespace vitrine::views
