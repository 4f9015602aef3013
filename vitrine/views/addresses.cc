#include "vitrine/views/addresses.h"

#include "vitrine/views/link_address.h"
#include "vitrine/views/row_field.h"

namespace vitrine::views {
namespace {

using base::GuestVirtual;

constexpr std::size_t kMaxAddresses = 1U << 20;
constexpr std::size_t kLabelSize = 16;  // IFNAMSIZ

// The kernel keeps an address's type in place of its scope (IFA_* of include/net/if_inet6.h).
std::uint32_t scope_of_inet6(std::uint32_t type) {
  if ((type & 0x10) != 0) return 254;
  if ((type & 0x20) != 0) return 253;
  return (type & 0x40) != 0 ? 200 : 0;
}

// IFA_F_*, include/uapi/linux/if_addr.h
std::string address_flags(std::uint32_t flags, bool inet6) {
  constexpr std::array<std::string_view, 12> kNames{
      "secondary", "nodad",     "optimistic", "dadfailed",     "home",     "deprecated",
      "tentative", "permanent", "mngtmpaddr", "noprefixroute", "autojoin", "stable-privacy"};
  std::string text;
  for (std::size_t bit = 0; bit < kNames.size(); ++bit) {
    if ((flags >> bit & 1) == 0) continue;
    if (!text.empty()) text += ',';
    text += bit == 0 && inet6 ? "temporary" : kNames.at(bit);
  }
  return text;
}

}  // namespace

constinit const std::array<Column, Addresses::kColumns> Addresses::kColumnDeclarations{{
    {"namespace", Type::integer, "the network namespace, as /proc/PID/ns/net numbers it"},
    {"interface", Type::text, "the interface that has it"},
    {"family", Type::text, "inet or inet6"},
    {"address", Type::text, "the internet address"},
    {"prefix_length", Type::integer, "bits of it that name its network", false, "PREFIX"},
    {"peer", Type::text,
     "address of the other end of a point-to-point link; null where there is none"},
    {"broadcast", Type::text, "address that reaches all of its network; null where there is none"},
    {"scope", Type::text, "global, site, link, host or nowhere; or its number"},
    {"flags", Type::text,
     "secondary, tentative, dadfailed, deprecated, permanent, …, separated by commas, as ip says "
     "them"},
    {"label", Type::text, "its name as an alias of the interface; null for IPv6"},
}};

std::span<const Column> Addresses::declared_columns() { return kColumnDeclarations; }

base::Result<std::unique_ptr<View>> Addresses::attach(const kernel::Kernel& kernel,
                                                      memory::PhysicalMemory&) {
  Resolver at(kernel.types);
  auto namespaces = NetNamespaces::attach(kernel, at);
  if (!namespaces) return base::fail(namespaces.error());
  Fields fields;
  fields.inet = at("net_device", "ip_ptr");
  fields.inet6 = at("net_device", "ip6_ptr");
  fields.list = at("in_device", "ifa_list");
  fields.next = at("in_ifaddr", "ifa_next");
  fields.local = at("in_ifaddr", "ifa_local");
  fields.peer = at("in_ifaddr", "ifa_address");
  fields.broadcast = at("in_ifaddr", "ifa_broadcast");
  fields.scope = at("in_ifaddr", "ifa_scope");
  fields.prefix = at("in_ifaddr", "ifa_prefixlen");
  fields.flags = at("in_ifaddr", "ifa_flags");
  fields.label = at("in_ifaddr", "ifa_label");
  fields.list6 = at("inet6_dev", "addr_list");
  fields.link6 = at("inet6_ifaddr", "if_list");
  fields.address6 = at("inet6_ifaddr", "addr");
  fields.peer6 = at("inet6_ifaddr", "peer_addr");
  fields.prefix6 = at("inet6_ifaddr", "prefix_len");
  fields.scope6 = at("inet6_ifaddr", "scope");
  fields.flags6 = at("inet6_ifaddr", "flags");
  if (at.error()) return base::fail(*at.error());
  return std::unique_ptr<View>(new Addresses(std::move(*namespaces), fields));
}

Outcome Addresses::collect(Reader& reader) {
  rows_.clear();
  bool whole = namespaces_.read(reader);
  for (const NetNamespace& name_space : namespaces_.list()) {
    const auto take = [&](GuestVirtual device, std::int32_t) {
      Row begun;
      begun.values.resize(kColumns);
      begun.values[kNamespace] = std::uint64_t{name_space.number};
      std::string name;
      const bool named = namespaces_.load_interface_name(reader, device, name);
      put(kColumnDeclarations, begun, kInterface, named, reader.fault(), name);
      whole = read_interface(reader, device, begun) && whole;
    };
    whole = namespaces_.each_interface(reader, name_space.at, take) && whole;
  }
  if (whole) return {};
  return {false,
          {"not all addresses could be read: their lists are damaged or changed while they were "
           "read"}};
}

bool Addresses::read_interface(Reader& reader, GuestVirtual device, const Row& begun) {
  const bool inet = read_inet(reader, device, begun);
  return read_inet6(reader, device, begun) && inet;
}

bool Addresses::read_inet(Reader& reader, GuestVirtual device, const Row& begun) {
  GuestVirtual part;
  GuestVirtual at;
  if (!reader.load(device + fields_.inet, part.value)) return false;
  if (part.value == 0) return true;
  if (!reader.load(part + fields_.list, at.value)) return false;
  CycleGuard guard;
  while (at.value != 0) {
    if (rows_.size() >= kMaxAddresses || guard.closes(at)) return false;
    add_inet(reader, at, begun);
    if (!reader.load(at + fields_.next, at.value)) return false;
  }
  return true;
}

void Addresses::add_inet(Reader& reader, GuestVirtual at, Row row) {
  const auto put_value = [&](ColumnIndex column, bool readable, Value value) {
    put(kColumnDeclarations, row, column, readable, reader.fault(), std::move(value));
  };
  row.values[kFamily] = std::string("inet");
  InetAddress local;
  InetAddress other;
  const bool known = load_address(reader, at + fields_.local, kFamilyInet, local);
  put_value(kAddress, known, text_of(local, kFamilyInet));
  // Its own again where there is no other end.
  const bool peered = load_address(reader, at + fields_.peer, kFamilyInet, other);
  put_value(kPeer, peered,
            other.words == local.words ? Value() : Value(text_of(other, kFamilyInet)));
  const bool cast = load_address(reader, at + fields_.broadcast, kFamilyInet, other);
  put_value(kBroadcast, cast, other.is_any() ? Value() : Value(text_of(other, kFamilyInet)));
  std::uint8_t prefix = 0;
  std::uint8_t scope = 0;
  std::uint32_t flags = 0;
  const bool has_prefix = reader.load(at + fields_.prefix, prefix);
  put_value(kPrefixLength, has_prefix, std::uint64_t{prefix});
  const bool has_scope = reader.load(at + fields_.scope, scope);
  put_value(kScope, has_scope, scope_name(scope));
  const bool has_flags = reader.load(at + fields_.flags, flags);
  put_value(kFlags, has_flags, address_flags(flags, false));
  std::array<char, kLabelSize> label{};
  const bool labelled =
      reader.load_bytes(at + fields_.label, std::as_writable_bytes(std::span(label)));
  put_value(kLabel, labelled, std::string(label.data(), strnlen(label.data(), label.size())));
  rows_.push_back(std::move(row));
}

bool Addresses::read_inet6(Reader& reader, GuestVirtual device, const Row& begun) {
  GuestVirtual part;
  GuestVirtual at;
  if (!reader.load(device + fields_.inet6, part.value)) return false;
  if (part.value == 0) return true;
  const GuestVirtual head = part + fields_.list6;
  if (!reader.load(head, at.value)) return false;
  CycleGuard guard;
  while (at != head) {
    if (rows_.size() >= kMaxAddresses || guard.closes(at)) return false;
    add_inet6(reader, at - fields_.link6, begun);
    if (!reader.load(at, at.value)) return false;
  }
  return true;
}

void Addresses::add_inet6(Reader& reader, GuestVirtual at, Row row) {
  const auto put_value = [&](ColumnIndex column, bool readable, Value value) {
    put(kColumnDeclarations, row, column, readable, reader.fault(), std::move(value));
  };
  row.values[kFamily] = std::string("inet6");
  InetAddress local;
  InetAddress peer;
  const bool known = load_address(reader, at + fields_.address6, kFamilyInet6, local);
  put_value(kAddress, known, text_of(local, kFamilyInet6));
  const bool peered = load_address(reader, at + fields_.peer6, kFamilyInet6, peer);
  put_value(kPeer, peered, peer.is_any() ? Value() : Value(text_of(peer, kFamilyInet6)));
  std::uint32_t prefix = 0;
  std::uint16_t scope = 0;
  std::uint32_t flags = 0;
  const bool has_prefix = reader.load(at + fields_.prefix6, prefix);
  put_value(kPrefixLength, has_prefix, std::uint64_t{prefix});
  const bool has_scope = reader.load(at + fields_.scope6, scope);
  put_value(kScope, has_scope, scope_name(scope_of_inet6(scope)));
  const bool has_flags = reader.load(at + fields_.flags6, flags);
  put_value(kFlags, has_flags, address_flags(flags, true));
  rows_.push_back(std::move(row));
}

}  // namespace vitrine::views
