// Who is known on the links of the guest's interfaces, named after ip neigh: one row per neighbour,
// of IPv4 (ARP) and IPv6 (ND), in every network namespace.
//
// Read from the kernel's two hash tables, which writers change under neigh_table.lock, and RCU
// readers walk.
//
// Thread contract: one thread at a time per object. Cost: about 8 loads a neighbour.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "vitrine/views/inet_address.h"
#include "vitrine/views/net_namespaces.h"
#include "vitrine/views/view.h"

namespace vitrine::views {

class Neighbours final : public View {
 public:
  // Errors: the member or symbol that is missing.
  static base::Result<std::unique_ptr<View>> attach(const kernel::Kernel& kernel,
                                                    memory::PhysicalMemory& memory);

  static std::span<const Column> declared_columns();

  std::string_view name() const override { return "neighbours"; }
  std::span<const Column> columns() const override { return declared_columns(); }
  Outcome collect(Reader& reader) override;
  std::size_t size() const override { return rows_.size(); }
  Row row(std::size_t index) const override { return rows_[index]; }

 private:
  enum ColumnIndex : unsigned {
    kNamespace,
    kInterface,
    kFamily,
    kNeighbour,
    kLinkAddress,
    kState,
    kColumns
  };
  static const std::array<Column, kColumns> kColumnDeclarations;

  struct Fields {
    std::optional<base::GuestVirtual> arp, nd;
    std::uint32_t hash = 0;                                                    // neigh_table
    std::uint32_t heads = 0, shift = 0;                                        // neigh_hash_table
    std::uint32_t next = 0, state = 0, link_address = 0, device = 0, key = 0;  // neighbour
    std::uint32_t device_namespace = 0, device_index = 0, address_length = 0;  // net_device
  };

  Neighbours(NetNamespaces namespaces, Fields fields)
      : namespaces_(std::move(namespaces)), fields_(fields) {}

  bool read_table(Reader& reader, base::GuestVirtual table, std::uint16_t family);
  bool read_chain(Reader& reader, base::GuestVirtual at, std::uint16_t family);
  void add(Reader& reader, base::GuestVirtual at, std::uint16_t family);
  void read_interface(Reader& reader, base::GuestVirtual device, Row& row);

  NetNamespaces namespaces_;
  Fields fields_;
  Budget steps_{4U << 20};
  std::vector<Row> rows_;
};

}  // namespace vitrine::views
