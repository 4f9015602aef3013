#include "vitrine/views/neighbours.h"

#include "vitrine/views/link_address.h"
#include "vitrine/views/row_field.h"

namespace vitrine::views {
namespace {

using base::GuestVirtual;

constexpr std::size_t kMaxNeighbours = 1U << 20;
constexpr std::uint32_t kMaxShift = 24;  // far above what gc_thresh3 lets it grow to

// NUD_*, include/uapi/linux/neighbour.h
std::string_view neighbour_state(std::uint8_t state) {
  constexpr std::array<std::string_view, 8> kNames{"INCOMPLETE", "REACHABLE", "STALE", "DELAY",
                                                   "PROBE",      "FAILED",    "NOARP", "PERMANENT"};
  for (std::size_t bit = 0; bit < kNames.size(); ++bit)
    if (state == 1U << bit) return kNames.at(bit);
  return state == 0 ? "NONE" : "UNKNOWN";
}

// States in which the kernel knows the link address: NUD_CONNECTED, STALE, DELAY and PROBE.
bool has_link_address(std::uint8_t state) { return (state & 0xde) != 0; }

}  // namespace

constinit const std::array<Column, Neighbours::kColumns> Neighbours::kColumnDeclarations{{
    {"namespace", Type::integer, "the network namespace, as /proc/PID/ns/net numbers it"},
    {"interface", Type::text, "the interface that it is reached by"},
    {"family", Type::text, "inet or inet6"},
    {"neighbour", Type::text, "its internet address"},
    {"link_address", Type::text, "its address on the link; null where it is not known", false,
     "LLADDR"},
    {"state", Type::text,
     "INCOMPLETE, REACHABLE, STALE, DELAY, PROBE, FAILED, NOARP, PERMANENT or NONE, as ip says it"},
}};

std::span<const Column> Neighbours::declared_columns() { return kColumnDeclarations; }

base::Result<std::unique_ptr<View>> Neighbours::attach(const kernel::Kernel& kernel,
                                                       memory::PhysicalMemory&) {
  Resolver at(kernel.types);
  auto namespaces = NetNamespaces::attach(kernel, at);
  if (!namespaces) return base::fail(namespaces.error());
  constexpr std::array<std::string_view, 2> kSymbols{"arp_tbl", "nd_tbl"};
  const auto symbols = kernel.symbols.find(kSymbols);
  if (!symbols[0])
    return base::fail(base::Code::unsupported, "this kernel's kallsyms does not name arp_tbl",
                      "the guest's kernel needs CONFIG_INET and CONFIG_KALLSYMS_ALL");
  Fields fields;
  fields.arp = symbols[0];
  fields.nd = symbols[1];
  fields.hash = at("neigh_table", "nht");
  // Lists of their own kind until 6.13 (0e3bcb0f78a0).
  fields.heads = at("neigh_hash_table", {"hash_heads", "hash_buckets"});
  fields.next = at("neighbour", {"hash", "next"});
  fields.shift = at("neigh_hash_table", "hash_shift");
  fields.state = at("neighbour", "nud_state");
  fields.link_address = at("neighbour", "ha");
  fields.device = at("neighbour", "dev");
  fields.key = at("neighbour", "primary_key");
  fields.device_namespace = at("net_device", "nd_net.net");
  fields.device_index = at("net_device", "ifindex");
  fields.address_length = at("net_device", "addr_len");
  if (at.error()) return base::fail(*at.error());
  return std::unique_ptr<View>(new Neighbours(std::move(*namespaces), fields));
}

Outcome Neighbours::collect(Reader& reader) {
  rows_.clear();
  steps_.renew();
  bool whole = namespaces_.read(reader);
  if (fields_.arp) whole = read_table(reader, *fields_.arp, kFamilyInet) && whole;
  if (fields_.nd) whole = read_table(reader, *fields_.nd, kFamilyInet6) && whole;
  if (whole) return {};
  return {false,
          {"not all neighbours could be read: their tables are damaged or changed while they were "
           "read"}};
}

bool Neighbours::read_table(Reader& reader, GuestVirtual table, std::uint16_t family) {
  GuestVirtual hash;
  GuestVirtual heads;
  std::uint32_t shift = 0;
  if (!reader.load(table + fields_.hash, hash.value)) return false;
  if (hash.value == 0) return true;  // not set up: the kernel was told to do without IPv6
  if (!reader.load(hash + fields_.heads, heads.value) ||
      !reader.load(hash + fields_.shift, shift) || shift > kMaxShift)
    return false;
  bool whole = true;
  for (std::uint64_t bucket = 0; bucket < std::uint64_t{1} << shift; ++bucket) {
    GuestVirtual first;
    if (!steps_.spend(1)) return false;
    whole =
        reader.load(heads + bucket * 8, first.value) && read_chain(reader, first, family) && whole;
  }
  return whole;
}

bool Neighbours::read_chain(Reader& reader, GuestVirtual at, std::uint16_t family) {
  CycleGuard guard;
  while (at.value != 0) {
    const GuestVirtual neighbour(at.value - fields_.next);
    if (rows_.size() >= kMaxNeighbours || !steps_.spend(1) || guard.closes(at)) return false;
    if (!reader.load(at, at.value)) return false;
    add(reader, neighbour, family);
  }
  return true;
}

void Neighbours::add(Reader& reader, GuestVirtual at, std::uint16_t family) {
  Row& row = rows_.emplace_back();
  row.values.resize(kColumns);
  const auto put_value = [&](ColumnIndex column, bool readable, Value value) {
    put(kColumnDeclarations, row, column, readable, reader.fault(), std::move(value));
  };
  row.values[kFamily] = std::string(family == kFamilyInet6 ? "inet6" : "inet");
  InetAddress address;
  const bool addressed = load_address(reader, at + fields_.key, family, address);
  put_value(kNeighbour, addressed, text_of(address, family));
  std::uint8_t state = 0;
  const bool stated = reader.load(at + fields_.state, state);
  put_value(kState, stated, std::string(neighbour_state(state)));
  GuestVirtual device;
  if (!reader.load(at + fields_.device, device.value)) {
    for (const ColumnIndex column : {kNamespace, kInterface, kLinkAddress})
      put_value(column, false, {});
    return;
  }
  read_interface(reader, device, row);
  if (!stated || !has_link_address(state)) return;
  std::uint8_t length = 0;
  std::string text;
  const bool readable = reader.load(device + fields_.address_length, length) &&
                        load_link_address(reader, at + fields_.link_address, length, text);
  put_value(kLinkAddress, readable, text.empty() ? Value() : Value(text));
}

void Neighbours::read_interface(Reader& reader, GuestVirtual device, Row& row) {
  GuestVirtual name_space;
  std::uint32_t number = 0;
  std::string name;
  const bool numbered = reader.load(device + fields_.device_namespace, name_space.value) &&
                        namespaces_.number(reader, name_space, number);
  put(kColumnDeclarations, row, kNamespace, numbered, reader.fault(), std::uint64_t{number});
  const bool named = namespaces_.load_interface_name(reader, device, name);
  put(kColumnDeclarations, row, kInterface, named, reader.fault(), name);
}

}  // namespace vitrine::views
