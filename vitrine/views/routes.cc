#include "vitrine/views/routes.h"

#include <algorithm>

#include "vitrine/views/link_address.h"

namespace vitrine::views {
namespace {

using base::GuestVirtual;

constexpr std::size_t kMaxRoutes = 2U << 20;  // twice what the whole internet has
constexpr std::size_t kMaxNodes = 2U << 20;   // of a tree
constexpr std::uint32_t kManyTables = 256;    // FIB_TABLE_HASHSZ with CONFIG_IP_MULTIPLE_TABLES
constexpr std::uint32_t kMaxHops = 1024;
constexpr std::uint32_t kNodeHasRoutes = 4;  // RTN_RTINFO, include/net/ip6_fib.h
constexpr std::uint32_t kMainTable = 254;    // RT_TABLE_MAIN

// RTN_*, include/uapi/linux/rtnetlink.h
std::string route_type(std::uint8_t type) {
  constexpr std::array<std::string_view, 10> kNames{
      "none",      "unicast",   "local",       "broadcast", "anycast",
      "multicast", "blackhole", "unreachable", "prohibit",  "throw"};
  return type < kNames.size() ? std::string(kNames.at(type)) : std::to_string(type);
}

// RTPROT_*
std::string protocol_name(std::uint8_t protocol) {
  switch (protocol) {
    case 1:
      return "redirect";
    case 2:
      return "kernel";
    case 3:
      return "boot";
    case 4:
      return "static";
    case 9:
      return "ra";
    case 16:
      return "dhcp";
    default:
      return std::to_string(protocol);
  }
}

// RT_TABLE_*
std::string table_name(std::uint32_t table) {
  if (table == kMainTable) return "main";
  if (table == 255) return "local";
  return table == 253 ? "default" : std::to_string(table);
}

std::string destination_text(const InetAddress& address, std::uint32_t bits, std::uint16_t family) {
  if (bits == 0 && address.is_any()) return "default";
  return text_of(address, family) + "/" + std::to_string(bits);
}

}  // namespace

constinit const std::array<Column, Routes::kColumns> Routes::kColumnDeclarations{{
    {"namespace", Type::integer, "the network namespace, as /proc/PID/ns/net numbers it"},
    {"family", Type::text, "inet or inet6"},
    {"table", Type::text, "main, local, default, or the number of the routing table"},
    {"type", Type::text,
     "unicast, local, broadcast, anycast, multicast, blackhole, unreachable, prohibit, throw"},
    {"destination", Type::text, "where it leads: ADDRESS/BITS; default for everything"},
    {"gateway", Type::text, "the next hop; null where the destination is on the link itself"},
    {"interface", Type::text, "by which it leaves; null where it leads nowhere"},
    {"source", Type::text, "the address that is preferred as the sender's; null where none is"},
    {"metric", Type::integer, "the lower, the sooner it is taken"},
    {"scope", Type::text, "global, site, link, host or nowhere; null for IPv6"},
    {"protocol", Type::text, "who made it: kernel, boot, static, ra, …; or its number"},
}};

std::span<const Column> Routes::declared_columns() { return kColumnDeclarations; }

void Routes::resolve_inet(Resolver& at, const kernel::TypeLookup& types, Fields& fields) {
  fields.tables = at("net", "ipv4.fib_table_hash");
  // Two tables only where the kernel has no rules by which it could choose another.
  fields.table_count = types.has_member("netns_ipv4", "rules_ops") ? kManyTables : 2;
  fields.link = at("fib_table", "tb_hlist");
  fields.trie = at("fib_table", "tb_data");
  fields.trie_root = at("trie", "kv");
  fields.position = at("key_vector", "pos");
  fields.bits = at("key_vector", "bits");
  fields.key = at("key_vector", "key");
  fields.children = at("key_vector", "tnode");
  fields.alias_link = at("fib_alias", "fa_list");
  fields.alias_info = at("fib_alias", "fa_info");
  fields.alias_type = at("fib_alias", "fa_type");
  fields.suffix = at("fib_alias", "fa_slen");
  fields.alias_table = at("fib_alias", "tb_id");
  fields.source = at("fib_info", "fib_prefsrc");
  fields.protocol = at("fib_info", "fib_protocol");
  fields.scope = at("fib_info", "fib_scope");
  fields.metric = at("fib_info", "fib_priority");
}

// One within the route, several behind it, or an object of its own that routes share.
void Routes::resolve_hops(Resolver& at, Fields& fields) {
  fields.hops = at("fib_info", "fib_nh");
  fields.hop_count = at("fib_info", "fib_nhs");
  fields.hop_size = at.size("fib_nh");
  fields.object = at("fib_info", "nh");
  fields.device = at("fib_nh_common", "nhc_dev");
  fields.gateway_family = at("fib_nh_common", "nhc_gw_family");
  fields.gateway = at("fib_nh_common", "nhc_gw");
  fields.group = at("nexthop", "is_group");
  fields.object_info = at("nexthop", "nh_info");
  fields.info_hop = at("nh_info", "fib_nhc");
  fields.group_count = at("nh_group", "num_nh");
  fields.group_entries = at("nh_group", "nh_entries");
  fields.entry_size = at.size("nh_grp_entry");
  fields.entry_object = at("nh_grp_entry", "nh");
}

void Routes::resolve_inet6(Resolver& at, const kernel::TypeLookup& types, Fields& fields) {
  fields.tables6 = at("net", "ipv6.fib_table_hash");
  fields.null_entry6 = at("net", "ipv6.fib6_null_entry");
  fields.link6 = at("fib6_table", "tb6_hlist");
  fields.number6 = at("fib6_table", "tb6_id");
  fields.root6 = at("fib6_table", "tb6_root");
  fields.branches6 = {at("fib6_node", "right"), at("fib6_node", "left")};
  // Routes by where packets come from (CONFIG_IPV6_SUBTREES).
  if (types.has_member("fib6_node", "subtree"))
    fields.branches6.push_back(at("fib6_node", "subtree"));
  fields.leaf6 = at("fib6_node", "leaf");
  fields.node_flags6 = at("fib6_node", "fn_flags");
  fields.next6 = at("fib6_info", "fib6_next");
  fields.destination6 = at("fib6_info", "fib6_dst.addr");
  fields.destination_bits6 = at("fib6_info", "fib6_dst.plen");
  fields.source6 = at("fib6_info", "fib6_prefsrc.addr");
  fields.source_bits6 = at("fib6_info", "fib6_prefsrc.plen");
  fields.metric6 = at("fib6_info", "fib6_metric");
  fields.protocol6 = at("fib6_info", "fib6_protocol");
  fields.type6 = at("fib6_info", "fib6_type");
  fields.object6 = at("fib6_info", "nh");
  fields.hop6 = at("fib6_info", "fib6_nh");
}

base::Result<std::unique_ptr<View>> Routes::attach(const kernel::Kernel& kernel,
                                                   memory::PhysicalMemory&) {
  Resolver at(kernel.types);
  auto namespaces = NetNamespaces::attach(kernel, at);
  if (!namespaces) return base::fail(namespaces.error());
  Fields fields;
  resolve_inet(at, kernel.types, fields);
  resolve_hops(at, fields);
  fields.has_inet6 = kernel.types.has_member("net", "ipv6.fib_table_hash");  // CONFIG_IPV6
  if (fields.has_inet6) resolve_inet6(at, kernel.types, fields);
  if (at.error()) return base::fail(*at.error());
  return std::unique_ptr<View>(new Routes(std::move(*namespaces), std::move(fields)));
}

Outcome Routes::collect(Reader& reader) {
  rows_.clear();
  steps_.renew();
  bool whole = namespaces_.read(reader);
  for (const NetNamespace& name_space : namespaces_.list()) {
    Row begun;
    begun.values.resize(kColumns);
    begun.values[kNamespace] = std::uint64_t{name_space.number};
    begun.values[kFamily] = std::string("inet");
    // Two tables share a trie until somebody sets rules (fib_trie_unmerge()).
    std::set<GuestVirtual> tries;
    const auto take = [&](GuestVirtual table) {
      GuestVirtual trie;
      if (!reader.load(table + fields_.trie, trie.value)) return false;
      return !tries.insert(trie).second || read_trie(reader, trie, begun);
    };
    whole = each_table(reader, name_space.at + fields_.tables, fields_.link, take) && whole;
    if (!fields_.has_inet6) continue;
    begun.values[kFamily] = std::string("inet6");
    GuestVirtual none;
    whole = reader.load(name_space.at + fields_.null_entry6, none.value) &&
            each_table(reader, name_space.at + fields_.tables6, fields_.link6,
                       [&](GuestVirtual table) { return read_tree(reader, table, none, begun); }) &&
            whole;
  }
  if (whole) return {};
  return {false,
          {"not all routes could be read: their tables are damaged or changed while they were "
           "read"}};
}

// The routing tables of a namespace, of which `heads` points to the hash table.
template <class Take>
bool Routes::each_table(Reader& reader, GuestVirtual heads, std::uint32_t link, Take take) {
  GuestVirtual table;
  if (!reader.load(heads, table.value)) return false;
  bool whole = true;
  // Zero where the namespace is told to do without.
  for (std::uint32_t i = 0; table.value != 0 && i < fields_.table_count; ++i) {
    GuestVirtual at;
    CycleGuard guard;
    bool readable = reader.load(table + i * 8ULL, at.value);
    while (readable && at.value != 0) {
      if (!steps_.spend(1) || guard.closes(at)) return false;
      whole = take(at - link) && whole;
      readable = reader.load(at, at.value);
    }
    whole = whole && readable;
  }
  return whole;
}

// A node with bits has as many children as these can number; one without is a leaf. On the way
// down, the position of the bits sinks.
bool Routes::read_trie(Reader& reader, GuestVirtual trie, const Row& begun) {
  struct Waiting {
    GuestVirtual node;
    std::uint32_t above = 0;  // the position of the node that leads to it
  };
  GuestVirtual root;
  if (!reader.load(trie + fields_.trie_root + fields_.children, root.value)) return false;
  std::vector<Waiting> waiting{{root, 32}};
  bool whole = true;
  while (!waiting.empty()) {
    const Waiting at = waiting.back();
    waiting.pop_back();
    if (at.node.value == 0) continue;
    std::uint32_t key = 0;
    std::uint8_t position = 0;
    std::uint8_t bits = 0;
    if (!steps_.spend(1)) return false;
    if (!reader.load(at.node + fields_.key, key) ||
        !reader.load(at.node + fields_.position, position) ||
        !reader.load(at.node + fields_.bits, bits) || std::uint32_t{position} + bits > at.above) {
      whole = false;
      continue;
    }
    if (bits == 0) {
      whole = read_leaf(reader, at.node, key, begun) && whole;
      continue;
    }
    const std::uint64_t children = std::uint64_t{1} << bits;
    if (!steps_.spend(children)) return false;
    for (std::uint64_t i = children; i-- > 0;) {
      GuestVirtual child;
      whole = reader.load(at.node + fields_.children + i * 8, child.value) && whole;
      if (child.value != 0) waiting.push_back({child, position});
    }
  }
  return whole;
}

bool Routes::read_leaf(Reader& reader, GuestVirtual leaf, std::uint32_t key, const Row& begun) {
  GuestVirtual at;
  CycleGuard guard;
  bool whole = reader.load(leaf + fields_.children, at.value);
  while (at.value != 0) {
    if (rows_.size() >= kMaxRoutes || !steps_.spend(1) || guard.closes(at)) return false;
    whole = add_inet(reader, at - fields_.alias_link, key, begun) && whole;
    if (!reader.load(at, at.value)) return false;
  }
  return whole;
}

bool Routes::add_inet(Reader& reader, GuestVirtual alias, std::uint32_t key, const Row& begun) {
  std::uint8_t suffix = 0;
  std::uint8_t type = 0;
  std::uint8_t protocol = 0;
  std::uint8_t scope = 0;
  std::uint32_t table = 0;
  std::uint32_t metric = 0;
  std::int32_t count = 0;
  GuestVirtual info;
  GuestVirtual object;
  InetAddress source;
  if (!reader.load(alias + fields_.suffix, suffix) ||
      !reader.load(alias + fields_.alias_type, type) ||
      !reader.load(alias + fields_.alias_table, table) ||
      !reader.load(alias + fields_.alias_info, info.value) ||
      !reader.load(info + fields_.protocol, protocol) ||
      !reader.load(info + fields_.scope, scope) || !reader.load(info + fields_.metric, metric) ||
      !reader.load(info + fields_.hop_count, count) ||
      !reader.load(info + fields_.object, object.value) ||
      !load_address(reader, info + fields_.source, kFamilyInet, source) || suffix > 32)
    return false;
  Row row = begun;
  const InetAddress destination{{__builtin_bswap32(key), 0}};
  row.values[kTable] = table_name(table);
  row.values[kType] = route_type(type);
  row.values[kDestination] = destination_text(destination, 32U - suffix, kFamilyInet);
  if (!source.is_any()) row.values[kSource] = text_of(source, kFamilyInet);
  row.values[kMetric] = std::uint64_t{metric};
  row.values[kScope] = scope_name(scope);
  row.values[kProtocol] = protocol_name(protocol);
  if (object.value != 0) return add_hops_of(reader, object, row);
  if (count < 0 || static_cast<std::uint32_t>(count) > kMaxHops) return false;
  bool whole = true;
  for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(count); ++i)
    whole =
        add_hop(reader, info + fields_.hops + std::uint64_t{i} * fields_.hop_size, row) && whole;
  return whole;
}

// Only a node that is marked so has routes of its own; others point to those of one below.
bool Routes::read_tree(Reader& reader, GuestVirtual table, GuestVirtual none, const Row& begun) {
  std::uint32_t number = 0;
  if (!reader.load(table + fields_.number6, number)) return false;
  Row row = begun;
  row.values[kTable] = table_name(number);
  std::vector<GuestVirtual> waiting{table + fields_.root6};
  std::set<GuestVirtual> seen;
  bool whole = true;
  while (!waiting.empty()) {
    const GuestVirtual node = waiting.back();
    waiting.pop_back();
    if (!steps_.spend(1) || seen.size() >= kMaxNodes) return false;
    whole = seen.insert(node).second && read_node(reader, node, none, row) && whole;
    for (const std::uint32_t branch : fields_.branches6) {
      GuestVirtual child;
      whole = reader.load(node + branch, child.value) && whole;
      if (child.value != 0 && !seen.contains(child)) waiting.push_back(child);
    }
  }
  return whole;
}

bool Routes::read_node(Reader& reader, GuestVirtual node, GuestVirtual none, const Row& begun) {
  std::uint16_t flags = 0;
  GuestVirtual route;
  if (!reader.load(node + fields_.node_flags6, flags) ||
      !reader.load(node + fields_.leaf6, route.value))
    return false;
  if ((flags & kNodeHasRoutes) == 0) return true;
  CycleGuard guard;
  bool whole = true;
  while (route.value != 0) {
    if (rows_.size() >= kMaxRoutes || !steps_.spend(1) || guard.closes(route)) return false;
    // What is at the root where there is no default route.
    if (route != none) whole = add_inet6(reader, route, begun) && whole;
    if (!reader.load(route + fields_.next6, route.value)) return false;
  }
  return whole;
}

bool Routes::add_inet6(Reader& reader, GuestVirtual route, const Row& begun) {
  std::int32_t bits = 0;
  std::int32_t source_bits = 0;
  std::uint32_t metric = 0;
  std::uint8_t type = 0;
  std::uint8_t protocol = 0;
  InetAddress destination;
  InetAddress source;
  GuestVirtual object;
  if (!load_address(reader, route + fields_.destination6, kFamilyInet6, destination) ||
      !reader.load(route + fields_.destination_bits6, bits) ||
      !load_address(reader, route + fields_.source6, kFamilyInet6, source) ||
      !reader.load(route + fields_.source_bits6, source_bits) ||
      !reader.load(route + fields_.metric6, metric) || !reader.load(route + fields_.type6, type) ||
      !reader.load(route + fields_.protocol6, protocol) ||
      !reader.load(route + fields_.object6, object.value) || bits < 0 || bits > 128)
    return false;
  Row row = begun;
  row.values[kType] = route_type(type);
  row.values[kDestination] =
      destination_text(destination, static_cast<std::uint32_t>(bits), kFamilyInet6);
  if (source_bits != 0) row.values[kSource] = text_of(source, kFamilyInet6);
  row.values[kMetric] = std::uint64_t{metric};
  row.values[kProtocol] = protocol_name(protocol);
  return object.value != 0 ? add_hops_of(reader, object, row)
                           : add_hop(reader, route + fields_.hop6, std::move(row));
}

// An object that routes share: a hop, or a group of such.
bool Routes::add_hops_of(Reader& reader, GuestVirtual object, const Row& route) {
  std::uint8_t is_group = 0;
  std::uint16_t count = 0;
  GuestVirtual info;
  if (!reader.load(object + fields_.group, is_group) ||
      !reader.load(object + fields_.object_info, info.value))
    return false;
  if (is_group == 0) return add_hop(reader, info + fields_.info_hop, route);
  if (!reader.load(info + fields_.group_count, count) || count > kMaxHops) return false;
  bool whole = true;
  for (std::uint32_t i = 0; i < count; ++i) {
    GuestVirtual part;
    GuestVirtual hop;
    const GuestVirtual entry = info + fields_.group_entries + std::uint64_t{i} * fields_.entry_size;
    whole = reader.load(entry + fields_.entry_object, part.value) &&
            reader.load(part + fields_.object_info, hop.value) &&
            add_hop(reader, hop + fields_.info_hop, route) && whole;
  }
  return whole;
}

bool Routes::add_hop(Reader& reader, GuestVirtual hop, Row row) {
  std::uint8_t family = 0;
  GuestVirtual device;
  InetAddress gateway;
  std::string name;
  if (rows_.size() >= kMaxRoutes || !reader.load(hop + fields_.device, device.value) ||
      !reader.load(hop + fields_.gateway_family, family))
    return false;
  if (family != 0) {
    if (!load_address(reader, hop + fields_.gateway, family, gateway)) return false;
    row.values[kGateway] = text_of(gateway, family);
  }
  if (device.value != 0) {
    if (!namespaces_.load_interface_name(reader, device, name)) return false;
    row.values[kInterface] = name;
  }
  rows_.push_back(std::move(row));
  return true;
}

}  // namespace vitrine::views
