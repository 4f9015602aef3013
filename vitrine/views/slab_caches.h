// What the guest's kernel allocates its objects from: one row per line of /proc/slabinfo.
//
// As SLUB keeps them. Objects that are free are counted where the kernel counts them: in slabs that
// are partly used. Those that a CPU keeps for itself count as in use.
//
// Thread contract: one thread at a time per object.
// Cost: some 40 loads a cache, and 5 for each of its slabs that is partly used.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "vitrine/kernel/kernel.h"
#include "vitrine/views/budget.h"
#include "vitrine/views/resolver.h"
#include "vitrine/views/view.h"
#include "vitrine/views/xarray.h"

namespace vitrine::views {

class SlabCaches final : public View {
 public:
  // Errors: the member or symbol that is missing.
  static base::Result<std::unique_ptr<View>> attach(const kernel::Kernel& kernel,
                                                    memory::PhysicalMemory& memory);

  static std::span<const Column> declared_columns();

  std::string_view name() const override { return "slab_caches"; }
  std::span<const Column> columns() const override { return declared_columns(); }
  Outcome collect(Reader& reader) override;
  std::size_t size() const override { return rows_.size(); }
  Row row(std::size_t index) const override { return rows_[index]; }

 private:
  enum ColumnIndex : unsigned {
    kName,
    kActiveObjects,
    kObjects,
    kObjectSize,
    kObjectsPerSlab,
    kPagesPerSlab,
    kActiveSlabs,
    kSlabs,
    kBytes,
    kColumns
  };
  static const std::array<Column, kColumns> kColumnDeclarations;

  // A number of at most 16 bits, which need not be whole bytes.
  struct Bits {
    std::uint32_t offset = 0, shift = 0, mask = 0;

    std::uint32_t of(std::uint16_t bytes) const { return std::uint32_t{bytes} >> shift & mask; }
  };

  // Of all nodes of a cache.
  struct Counts {
    std::uint64_t slabs = 0, objects = 0;
  };

  // Offsets in bytes within the structure that holds each.
  struct Fields {
    std::uint32_t link = 0, name = 0, object_size = 0, order_and_objects = 0;  // kmem_cache
    std::uint32_t first_node = 0, node_stride = 0;                             // kmem_cache
    std::uint32_t slabs = 0, objects = 0, partial = 0;                         // kmem_cache_node
    std::uint32_t slab_link = 0, owner = 0;                                    // slab
    Bits in_use, all;                                                          // slab
  };

  explicit SlabCaches(base::GuestVirtual head) : head_(head) {}

  static Bits bits(const kernel::Member& member);
  base::Result<void> resolve(const kernel::Kernel& kernel);

  void add_cache(Reader& reader, base::GuestVirtual cache, std::uint32_t nodes);
  bool load_nodes(Reader& reader, base::GuestVirtual cache, std::uint32_t number, Counts& counts);
  static void put_inconsistent(Row& row, unsigned column, std::string message);
  void put_active(Reader& reader, base::GuestVirtual cache, const Counts& counts, Row& row);
  WalkEnd count_free(Reader& reader, base::GuestVirtual cache, base::GuestVirtual node,
                     std::uint64_t& free);
  bool put_shape(Reader& reader, base::GuestVirtual cache, Row& row, std::uint64_t& pages) const;

  base::GuestVirtual head_;                       // of the list of caches
  std::optional<base::GuestVirtual> node_count_;  // of the kernel; none: one node
  std::uint32_t most_nodes_ = 0;
  Fields fields_;
  Budget partial_slabs_{2U << 20};         // of a collection
  std::vector<base::GuestVirtual> nodes_;  // of one cache
  std::vector<Row> rows_;
};

}  // namespace vitrine::views
