// The guest's network interfaces with what they have carried, named after ip link: one row per
// interface, in every network namespace.
//
// Read along net.dev_base_head, which writers change under the RTNL, and RCU readers walk. Counters
// are those that the kernel itself keeps for the interface (dev_get_stats() in net/core/dev.c): a
// driver that counts in structures of its own is said to.
//
// Thread contract: one thread at a time per object. Cost: about 30 loads an interface, and up to 8
// for each CPU.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "vitrine/views/net_namespaces.h"
#include "vitrine/views/view.h"

namespace vitrine::views {

class Links final : public View {
 public:
  // Errors: the member or symbol that is missing.
  static base::Result<std::unique_ptr<View>> attach(const kernel::Kernel& kernel,
                                                    memory::PhysicalMemory& memory);

  static std::span<const Column> declared_columns();

  std::string_view name() const override { return "links"; }
  std::span<const Column> columns() const override { return declared_columns(); }
  Outcome collect(Reader& reader) override;
  std::size_t size() const override { return rows_.size(); }
  Row row(std::size_t index) const override { return rows_[index]; }

 private:
  enum ColumnIndex : unsigned {
    kNamespace,
    kIndex,
    kName,
    kType,
    kAddress,
    kMtu,
    kFlags,
    kState,
    kFirstCounter,
    kColumns = kFirstCounter + 8
  };
  static const std::array<Column, kColumns> kColumnDeclarations;

  // In the order of their columns.
  enum Counter : std::uint8_t {
    kRxBytes,
    kRxPackets,
    kRxErrors,
    kRxDropped,
    kTxBytes,
    kTxPackets,
    kTxErrors,
    kTxDropped,
    kCounters
  };
  using Counters = std::array<std::uint64_t, kCounters>;

  // Offsets in bytes within the structure that holds each.
  struct Fields {
    std::uint32_t type = 0, flags = 0, mtu = 0, state = 0, address = 0, address_length = 0;
    std::array<std::uint32_t, kCounters> counters{};  // of struct net_device
    std::uint32_t per_cpu = 0, dropped_per_cpu = 0, operations = 0;
    std::uint32_t get_counters = 0, get_old_counters = 0;  // of net_device_ops
    std::uint32_t rx_dropped = 0, tx_dropped = 0;          // of net_device_core_stats
    std::uint32_t light_packets = 0, light_bytes = 0;      // of pcpu_lstats
    // Of pcpu_sw_netstats, in the order of kRxBytes, kRxPackets, kTxBytes, kTxPackets.
    std::array<std::uint32_t, 4> software{};
    // Functions that tell where an interface counts.
    std::optional<base::GuestVirtual> of_loopback, of_software;
  };

  Links(NetNamespaces namespaces, Fields fields, std::vector<std::uint64_t> cpus)
      : namespaces_(std::move(namespaces)), fields_(fields), cpus_(std::move(cpus)) {}

  static void resolve_counters(Resolver& at, Fields& fields);

  void add(Reader& reader, std::uint32_t name_space, base::GuestVirtual device, std::int32_t index);
  void read_state(Reader& reader, base::GuestVirtual device, Row& row) const;
  void put_counters(Reader& reader, base::GuestVirtual device, Row& row) const;
  // `known`: false where the driver counts on its own.
  bool read_counters(Reader& reader, base::GuestVirtual device, Counters& counters,
                     bool& known) const;
  bool add_per_cpu(Reader& reader, base::GuestVirtual parts, std::uint32_t offset,
                   std::uint64_t& sum) const;

  NetNamespaces namespaces_;
  Fields fields_;
  std::vector<std::uint64_t> cpus_;  // per-CPU offsets
  std::vector<Row> rows_;
};

}  // namespace vitrine::views
