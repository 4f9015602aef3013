// The zones that the guest's memory is divided into, of all its nodes.
//
// Thread contract: immutable once attached. Cost: 2 loads a node.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "vitrine/kernel/kernel.h"
#include "vitrine/views/reader.h"
#include "vitrine/views/resolver.h"

namespace vitrine::views {

class Zones {
 public:
  // Errors: the member that is missing, or `unsupported` where no symbol leads to the nodes.
  static base::Result<Zones> attach(const kernel::Kernel& kernel) {
    constexpr std::array<std::string_view, 3> kSymbols{"node_data", "nr_node_ids",
                                                       "contig_page_data"};
    const auto symbols = kernel.symbols.find(kSymbols);
    Zones zones;
    zones.nodes_ = symbols[0];
    zones.count_ = symbols[1];
    zones.only_node_ = symbols[2];  // of a kernel without NUMA
    if (!zones.only_node_ && (!zones.nodes_ || !zones.count_))
      return base::fail(base::Code::unsupported, "this kernel's kallsyms does not name its nodes",
                        "the guest's kernel needs CONFIG_KALLSYMS_ALL");
    Resolver at(kernel.types);
    zones.first_ = at("pglist_data", "node_zones");
    zones.number_ = at("pglist_data", "nr_zones");
    zones.size_ = at.size("zone");
    if (at.error()) return base::fail(*at.error());
    return zones;
  }

  // Their addresses (struct zone); false where they can't be read.
  bool read(Reader& reader, std::vector<base::GuestVirtual>& zones) const {
    zones.clear();
    if (only_node_) return add_zones(reader, *only_node_, zones);
    std::uint32_t count = 0;
    if (!reader.load(*count_, count)) return false;
    for (std::uint32_t i = 0; i < std::min(count, kMaxNodes); ++i) {
      base::GuestVirtual node;
      if (!reader.load(*nodes_ + std::uint64_t{i} * 8, node.value)) return false;
      if (node.value != 0 && !add_zones(reader, node, zones)) return false;
    }
    return true;
  }

 private:
  static constexpr std::uint32_t kMaxNodes = 1024;  // MAX_NUMNODES of MAXSMP kernels
  static constexpr std::uint32_t kMaxZones = 16;    // of a node; there are 5 kinds

  bool add_zones(Reader& reader, base::GuestVirtual node,
                 std::vector<base::GuestVirtual>& zones) const {
    std::uint32_t number = 0;
    if (!reader.load(node + number_, number)) return false;
    for (std::uint64_t i = 0; i < std::min(number, kMaxZones); ++i)
      zones.push_back(node + first_ + i * size_);
    return true;
  }

  std::optional<base::GuestVirtual> nodes_, count_, only_node_;
  std::uint32_t first_ = 0, number_ = 0, size_ = 0;  // pglist_data; zone
};

}  // namespace vitrine::views
