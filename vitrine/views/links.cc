#include "vitrine/views/links.h"

#include "vitrine/paging/walked_memory.h"
#include "vitrine/views/link_address.h"
#include "vitrine/views/per_cpu.h"
#include "vitrine/views/row_field.h"

namespace vitrine::views {
namespace {

using base::GuestVirtual;

constexpr std::size_t kMaxInterfaces = 1U << 20;

// ARPHRD_*, include/uapi/linux/if_arp.h
std::string link_type(std::uint16_t type) {
  switch (type) {
    case 1:
      return "ether";
    case 32:
      return "infiniband";
    case 512:
      return "ppp";
    case 768:
      return "ipip";
    case 769:
      return "tunnel6";
    case 772:
      return "loopback";
    case 776:
      return "sit";
    case 778:
      return "gre";
    case 65534:
      return "none";
    default:
      return std::to_string(type);
  }
}

// IFF_*, include/uapi/linux/if.h
constexpr std::uint32_t kUp = 1U << 0;
constexpr std::uint32_t kLinkRunning = 1U << 6;

// What is kept of "running" is old: dev_get_flags() makes it up, too.
std::uint32_t with_running(std::uint32_t flags, std::uint8_t state) {
  const bool operational = state == 0 || state == 6;  // unknown or up
  return (flags & kUp) != 0 && operational ? flags | kLinkRunning : flags & ~kLinkRunning;
}

std::string link_flags(std::uint32_t flags) {
  constexpr std::array<std::string_view, 16> kNames{
      "up",        "broadcast", "debug",     "loopback", "pointopoint", "notrailers",
      "running",   "noarp",     "promisc",   "allmulti", "master",      "slave",
      "multicast", "portsel",   "automedia", "dynamic"};
  std::string text;
  for (std::size_t bit = 0; bit < kNames.size(); ++bit) {
    if ((flags >> bit & 1) == 0) continue;
    if (!text.empty()) text += ',';
    text += kNames.at(bit);
  }
  return text;
}

std::string link_state(std::uint8_t state) {
  constexpr std::array<std::string_view, 7> kNames{
      "unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up"};
  return state < kNames.size() ? std::string(kNames.at(state)) : std::to_string(state);
}

}  // namespace

constinit const std::array<Column, Links::kColumns> Links::kColumnDeclarations{{
    {"namespace", Type::integer, "the network namespace, as /proc/PID/ns/net numbers it"},
    {"index", Type::integer, "number of the interface in its namespace"},
    {"name", Type::text, "its name"},
    {"type", Type::text, "ether, loopback, none, ppp, …; or the number of its kind (ARPHRD_*)"},
    {"link_address", Type::text, "its address on the link; null where links of its kind have none",
     false, "LLADDR"},
    {"mtu_bytes", Type::integer, "bytes that a packet may have", false, "MTU"},
    {"flags", Type::text,
     "up, broadcast, loopback, running, noarp, promisc, multicast, …, separated by commas"},
    {"state", Type::text,
     "unknown, notpresent, down, lowerlayerdown, testing, dormant or up (RFC 2863)"},
    {"rx_bytes", Type::bytes, "bytes received", true, "RX"},
    {"rx_packets", Type::integer, "packets received", true},
    {"rx_errors", Type::integer, "packets received with errors", true},
    {"rx_dropped", Type::integer, "packets received and dropped", true},
    {"tx_bytes", Type::bytes, "bytes sent", true, "TX"},
    {"tx_packets", Type::integer, "packets sent", true},
    {"tx_errors", Type::integer, "packets that could not be sent", true},
    {"tx_dropped", Type::integer, "packets dropped instead of being sent", true},
}};

std::span<const Column> Links::declared_columns() { return kColumnDeclarations; }

void Links::resolve_counters(Resolver& at, Fields& fields) {
  constexpr std::array<std::string_view, kCounters> kNames{"rx_bytes",   "rx_packets", "rx_errors",
                                                           "rx_dropped", "tx_bytes",   "tx_packets",
                                                           "tx_errors",  "tx_dropped"};
  for (std::size_t i = 0; i < kCounters; ++i)
    fields.counters.at(i) = at("net_device", "stats." + std::string(kNames.at(i)));
  fields.per_cpu = at("net_device", "tstats");
  fields.dropped_per_cpu = at("net_device", "core_stats");
  fields.operations = at("net_device", "netdev_ops");
  fields.get_counters = at("net_device_ops", "ndo_get_stats64");
  fields.get_old_counters = at("net_device_ops", "ndo_get_stats");
  fields.rx_dropped = at("net_device_core_stats", "rx_dropped");
  fields.tx_dropped = at("net_device_core_stats", "tx_dropped");
  fields.light_packets = at("pcpu_lstats", "packets");
  fields.light_bytes = at("pcpu_lstats", "bytes");
  fields.software = {at("pcpu_sw_netstats", "rx_bytes"), at("pcpu_sw_netstats", "rx_packets"),
                     at("pcpu_sw_netstats", "tx_bytes"), at("pcpu_sw_netstats", "tx_packets")};
}

base::Result<std::unique_ptr<View>> Links::attach(const kernel::Kernel& kernel,
                                                  memory::PhysicalMemory& memory) {
  Resolver at(kernel.types);
  auto namespaces = NetNamespaces::attach(kernel, at);
  if (!namespaces) return base::fail(namespaces.error());
  Fields fields;
  fields.type = at("net_device", "type");
  fields.flags = at("net_device", "flags");
  fields.mtu = at("net_device", "mtu");
  fields.state = at("net_device", "operstate");
  fields.address = at("net_device", "dev_addr");
  fields.address_length = at("net_device", "addr_len");
  resolve_counters(at, fields);
  if (at.error()) return base::fail(*at.error());
  constexpr std::array<std::string_view, 2> kSymbols{"loopback_get_stats64", "dev_get_tstats64"};
  const auto symbols = kernel.symbols.find(kSymbols);
  fields.of_loopback = symbols[0];
  fields.of_software = symbols[1];
  const auto cpus = PerCpu::attach(kernel, memory);
  if (!cpus) return base::fail(cpus.error());
  return std::unique_ptr<View>(new Links(std::move(*namespaces), fields, cpus->offsets()));
}

Outcome Links::collect(Reader& reader) {
  rows_.clear();
  bool whole = namespaces_.read(reader);
  for (const NetNamespace& name_space : namespaces_.list()) {
    const auto take = [&](GuestVirtual device, std::int32_t index) {
      if (rows_.size() < kMaxInterfaces) add(reader, name_space.number, device, index);
    };
    whole = namespaces_.each_interface(reader, name_space.at, take) && whole;
  }
  if (whole) return {};
  return {false,
          {"not all interfaces could be read: their lists are damaged or changed while they were "
           "read"}};
}

void Links::add(Reader& reader, std::uint32_t name_space, GuestVirtual device, std::int32_t index) {
  Row row;
  row.values.resize(kColumns);
  row.values[kNamespace] = std::uint64_t{name_space};
  row.values[kIndex] = std::int64_t{index};
  std::string name;
  const bool named = namespaces_.load_interface_name(reader, device, name);
  put(kColumnDeclarations, row, kName, named, reader.fault(), name);
  read_state(reader, device, row);
  put_counters(reader, device, row);
  rows_.push_back(std::move(row));
}

void Links::read_state(Reader& reader, GuestVirtual device, Row& row) const {
  const auto put_value = [&](ColumnIndex column, bool readable, Value value) {
    put(kColumnDeclarations, row, column, readable, reader.fault(), std::move(value));
  };
  std::uint16_t type = 0;
  std::uint32_t flags = 0;
  std::uint32_t mtu = 0;
  std::uint8_t state = 0;
  std::uint8_t length = 0;
  GuestVirtual address;
  std::string text;
  const bool typed = reader.load(device + fields_.type, type);
  put_value(kType, typed, link_type(type));
  const bool limited = reader.load(device + fields_.mtu, mtu);
  put_value(kMtu, limited, std::uint64_t{mtu});
  const bool stated = reader.load(device + fields_.state, state);
  put_value(kState, stated, link_state(state));
  const bool flagged = stated && reader.load(device + fields_.flags, flags);
  put_value(kFlags, flagged, link_flags(with_running(flags, state)));
  const bool addressed = reader.load(device + fields_.address, address.value) &&
                         reader.load(device + fields_.address_length, length) &&
                         load_link_address(reader, address, length, text);
  put_value(kAddress, addressed, text.empty() ? Value() : Value(text));
}

void Links::put_counters(Reader& reader, GuestVirtual device, Row& row) const {
  Counters counters{};
  bool known = false;
  const bool readable = read_counters(reader, device, counters, known);
  for (std::size_t i = 0; i < kCounters; ++i) {
    if (readable && !known)
      row.errors.push_back({kColumnDeclarations.at(kFirstCounter + i).name, base::Code::unsupported,
                            "the interface's driver counts in structures of its own"});
    else
      put(kColumnDeclarations, row, kFirstCounter + i, readable, reader.fault(), counters.at(i));
  }
}

// As dev_get_stats() does: the driver's own way, and what the kernel dropped on its behalf.
bool Links::read_counters(Reader& reader, GuestVirtual device, Counters& counters,
                          bool& known) const {
  GuestVirtual operations;
  GuestVirtual way;
  GuestVirtual old_way;
  GuestVirtual parts;
  if (!reader.load(device + fields_.operations, operations.value) ||
      !reader.load(operations + fields_.get_counters, way.value) ||
      !reader.load(operations + fields_.get_old_counters, old_way.value) ||
      !reader.load(device + fields_.per_cpu, parts.value))
    return false;
  known = true;
  if (fields_.of_loopback && way == *fields_.of_loopback) {
    // What is sent is received.
    if (!add_per_cpu(reader, parts, fields_.light_bytes, counters[kRxBytes]) ||
        !add_per_cpu(reader, parts, fields_.light_packets, counters[kRxPackets]))
      return false;
    counters[kTxBytes] = counters[kRxBytes];
    counters[kTxPackets] = counters[kRxPackets];
  } else {
    const bool software = fields_.of_software && way == *fields_.of_software;
    known = software || (way.value == 0 && old_way.value == 0);
    if (!known) return true;
    for (std::size_t i = 0; i < kCounters; ++i)
      if (!reader.load(device + fields_.counters.at(i), counters.at(i))) return false;
    constexpr std::array kSoftware{kRxBytes, kRxPackets, kTxBytes, kTxPackets};
    for (std::size_t i = 0; software && i < kSoftware.size(); ++i)
      if (!add_per_cpu(reader, parts, fields_.software.at(i), counters.at(kSoftware.at(i))))
        return false;
  }
  if (!reader.load(device + fields_.dropped_per_cpu, parts.value)) return false;
  return parts.value == 0 ||
         (add_per_cpu(reader, parts, fields_.rx_dropped, counters[kRxDropped]) &&
          add_per_cpu(reader, parts, fields_.tx_dropped, counters[kTxDropped]));
}

bool Links::add_per_cpu(Reader& reader, GuestVirtual parts, std::uint32_t offset,
                        std::uint64_t& sum) const {
  for (const std::uint64_t cpu : cpus_) {
    std::uint64_t part = 0;
    if (!reader.load(parts + cpu + offset, part)) return false;
    sum += part;
  }
  return true;
}

}  // namespace vitrine::views
