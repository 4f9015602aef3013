// Addresses of the guest's interfaces, named after ip addr: one row per address, of IPv4 and IPv6,
// in every network namespace.
//
// Read along in_device.ifa_list and inet6_dev.addr_list, which writers change under the RTNL, and
// RCU readers walk.
//
// Thread contract: one thread at a time per object. Cost: about 8 loads an address, 5 an interface.
#pragma once

#include <array>
#include <vector>

#include "vitrine/views/inet_address.h"
#include "vitrine/views/net_namespaces.h"
#include "vitrine/views/view.h"

namespace vitrine::views {

class Addresses final : public View {
 public:
  // Errors: the member or symbol that is missing.
  static base::Result<std::unique_ptr<View>> attach(const kernel::Kernel& kernel,
                                                    memory::PhysicalMemory& memory);

  static std::span<const Column> declared_columns();

  std::string_view name() const override { return "addresses"; }
  std::span<const Column> columns() const override { return declared_columns(); }
  Outcome collect(Reader& reader) override;
  std::size_t size() const override { return rows_.size(); }
  Row row(std::size_t index) const override { return rows_[index]; }

 private:
  enum ColumnIndex : unsigned {
    kNamespace,
    kInterface,
    kFamily,
    kAddress,
    kPrefixLength,
    kPeer,
    kBroadcast,
    kScope,
    kFlags,
    kLabel,
    kColumns
  };
  static const std::array<Column, kColumns> kColumnDeclarations;

  // Offsets in bytes within the structure that holds each.
  struct Fields {
    std::uint32_t inet = 0, inet6 = 0;  // net_device
    std::uint32_t list = 0;             // in_device
    std::uint32_t next = 0, local = 0, peer = 0, broadcast = 0, scope = 0, prefix = 0, flags = 0,
                  label = 0;  // in_ifaddr
    std::uint32_t list6 = 0;  // inet6_dev
    std::uint32_t link6 = 0, address6 = 0, peer6 = 0, prefix6 = 0, scope6 = 0,
                  flags6 = 0;  // inet6_ifaddr
  };

  Addresses(NetNamespaces namespaces, Fields fields)
      : namespaces_(std::move(namespaces)), fields_(fields) {}

  bool read_interface(Reader& reader, base::GuestVirtual device, const Row& begun);
  bool read_inet(Reader& reader, base::GuestVirtual device, const Row& begun);
  bool read_inet6(Reader& reader, base::GuestVirtual device, const Row& begun);
  void add_inet(Reader& reader, base::GuestVirtual at, Row row);
  void add_inet6(Reader& reader, base::GuestVirtual at, Row row);

  NetNamespaces namespaces_;
  Fields fields_;
  std::vector<Row> rows_;
};

}  // namespace vitrine::views
