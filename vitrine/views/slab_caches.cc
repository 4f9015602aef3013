#include "vitrine/views/slab_caches.h"

#include <algorithm>
#include <array>

#include "vitrine/views/cycle_guard.h"
#include "vitrine/views/row_field.h"
#include "vitrine/views/text.h"

namespace vitrine::views {
namespace {

using base::Code;
using base::fail;
using base::GuestVirtual;
using base::kPage;

constexpr std::size_t kMostCaches = 16'384;
constexpr std::uint32_t kMostNodes = 1024;   // MAX_NUMNODES of MAXSMP kernels
constexpr std::size_t kMostCacheName = 128;  // bytes
constexpr std::uint32_t kHighestOrder = 20;

}  // namespace

constinit const std::array<Column, SlabCaches::kColumns> SlabCaches::kColumnDeclarations{{
    {"name", Type::text, "what is allocated from it, as /proc/slabinfo names it"},
    {"active_objs", Type::integer, "objects that are in use, or kept by a CPU for its next use",
     true},
    {"num_objs", Type::integer, "objects that its slabs have room for", true},
    {"objsize", Type::integer, "size of an object with what the kernel adds to it, in bytes"},
    {"objperslab", Type::integer, "objects of a slab"},
    {"pagesperslab", Type::integer, "pages of a slab"},
    {"active_slabs", Type::integer, "slabs in use: as the kernel has it, all of them", true},
    {"num_slabs", Type::integer, "slabs that it has", true},
    {"bytes", Type::bytes, "memory that these take, in bytes, each of so many pages", true, "SIZE"},
}};

std::span<const Column> SlabCaches::declared_columns() { return kColumnDeclarations; }

void SlabCaches::put_inconsistent(Row& row, unsigned column, std::string message) {
  row.errors.push_back(
      {kColumnDeclarations.at(column).name, Code::inconsistent, std::move(message)});
}

base::Result<std::unique_ptr<View>> SlabCaches::attach(const kernel::Kernel& kernel,
                                                       memory::PhysicalMemory& /*memory*/) {
  constexpr std::array<std::string_view, 2> kSymbols{"slab_caches", "nr_node_ids"};
  const auto symbols = kernel.symbols.find(kSymbols);
  if (!symbols[0])
    return fail(Code::unsupported, "this kernel's kallsyms does not name slab_caches",
                "the guest's kernel needs CONFIG_KALLSYMS_ALL");
  std::unique_ptr<SlabCaches> view(new SlabCaches(*symbols[0]));
  view->node_count_ = symbols[1];
  if (auto resolved = view->resolve(kernel); !resolved) return fail(resolved.error());
  return std::unique_ptr<View>(std::move(view));
}

// Of no bits where it does not lie in two bytes: it is none that we know.
SlabCaches::Bits SlabCaches::bits(const kernel::Member& member) {
  const std::uint32_t size = member.bit_size == 0 ? 16 : member.bit_size;
  const std::uint32_t shift = member.bit_offset % 8;
  if (shift + size > 16) return {};
  return {static_cast<std::uint32_t>(member.offset) + member.bit_offset / 8, shift,
          (1U << size) - 1};
}

base::Result<void> SlabCaches::resolve(const kernel::Kernel& kernel) {
  Resolver at(kernel.types);
  fields_.link = at("kmem_cache", "list");
  fields_.name = at("kmem_cache", "name");
  fields_.object_size = at("kmem_cache", "size");
  fields_.order_and_objects = at("kmem_cache", "oo.x");
  // With something else beside each pointer since 7.1.
  const bool pairs = kernel.types.has_member("kmem_cache", "per_node");
  const kernel::Member nodes = at.member("kmem_cache", pairs ? "per_node" : "node");
  fields_.first_node = static_cast<std::uint32_t>(nodes.offset);
  if (pairs) fields_.first_node += at("kmem_cache_per_node_ptrs", "node");
  fields_.node_stride = static_cast<std::uint32_t>(nodes.element_size);
  most_nodes_ = std::min(nodes.element_count, kMostNodes);
  fields_.slabs = at("kmem_cache_node", "nr_slabs.counter");
  fields_.objects = at("kmem_cache_node", "total_objects.counter");
  fields_.partial = at("kmem_cache_node", "partial");
  // A part of struct page until 5.17 (d122019bf061).
  const std::string_view slab = kernel.types.has_member("slab", "slab_list") ? "slab" : "page";
  fields_.slab_link = at(slab, "slab_list");
  fields_.owner = at(slab, "slab_cache");
  fields_.in_use = bits(at.member(slab, "inuse"));
  fields_.all = bits(at.member(slab, "objects"));
  if (at.error()) return fail(*at.error());
  if (fields_.in_use.mask == 0 || fields_.all.mask == 0)
    return fail(Code::unsupported, "this kernel's slabs count their objects in another way");
  return {};
}

Outcome SlabCaches::collect(Reader& reader) {
  rows_.clear();
  partial_slabs_.renew();
  std::uint32_t nodes = 1;
  if (node_count_ && !reader.load(*node_count_, nodes))
    return {false, {"how many nodes the guest has could not be read"}};
  const auto unreadable = [&reader]() -> Outcome {
    return {
        false,
        {"the list of caches could not all be read: " + std::string(paging::name(reader.fault()))}};
  };
  GuestVirtual at;
  CycleGuard guard;
  if (!reader.load(head_, at.value)) return unreadable();
  while (at != head_) {
    if (guard.closes(at) || rows_.size() >= kMostCaches)
      return {false, {"the list of caches does not end"}};
    GuestVirtual next;
    if (!reader.load(at, next.value)) return unreadable();
    add_cache(reader, at - fields_.link, std::min(nodes, most_nodes_));
    at = next;
  }
  return {};
}

void SlabCaches::add_cache(Reader& reader, GuestVirtual cache, std::uint32_t nodes) {
  Row row;
  row.values.resize(kColumns);
  GuestVirtual name;
  std::string text;
  const bool named = reader.load(cache + fields_.name, name.value) &&
                     load_text(reader, name, kMostCacheName, text);
  put(kColumnDeclarations, row, kName, named, reader.fault(), std::move(text));
  Counts counts;
  const bool counted = load_nodes(reader, cache, nodes, counts);
  const paging::Fault fault = reader.fault();
  put(kColumnDeclarations, row, kObjects, counted, fault, counts.objects);
  put(kColumnDeclarations, row, kActiveSlabs, counted, fault, counts.slabs);
  put(kColumnDeclarations, row, kSlabs, counted, fault, counts.slabs);
  if (counted)
    put_active(reader, cache, counts, row);
  else
    put(kColumnDeclarations, row, kActiveObjects, false, fault, {});
  std::uint64_t pages = 0;
  if (put_shape(reader, cache, row, pages) && counted)
    row.values[kBytes] = counts.slabs * pages * kPage;
  else
    row.errors.push_back({kColumnDeclarations[kBytes].name, Code::unreadable,
                          "num_slabs or pagesperslab is not known"});
  rows_.push_back(std::move(row));
}

// As get_slabinfo() in mm/slub.c, over all nodes of memory.
bool SlabCaches::load_nodes(Reader& reader, GuestVirtual cache, std::uint32_t number,
                            Counts& counts) {
  nodes_.clear();
  for (std::uint64_t i = 0; i < number; ++i) {
    GuestVirtual node;
    std::uint64_t slabs = 0;
    std::uint64_t objects = 0;
    if (!reader.load(cache + fields_.first_node + i * fields_.node_stride, node.value))
      return false;
    if (node.value == 0) continue;
    if (!reader.load_statistic(node + fields_.slabs, slabs) ||
        !reader.load_statistic(node + fields_.objects, objects))
      return false;
    counts.slabs += slabs;
    counts.objects += objects;
    nodes_.push_back(node);
  }
  return true;
}

void SlabCaches::put_active(Reader& reader, GuestVirtual cache, const Counts& counts, Row& row) {
  std::uint64_t free = 0;
  for (const GuestVirtual node : nodes_) {
    const WalkEnd end = count_free(reader, cache, node, free);
    if (end == WalkEnd::unreadable)
      return put(kColumnDeclarations, row, kActiveObjects, false, reader.fault(), {});
    if (end == WalkEnd::astray)
      return put_inconsistent(row, kActiveObjects,
                              "the list of slabs is damaged, or changed while it was read");
  }
  // The list and the counter are not of one moment.
  row.values[kActiveObjects] = counts.objects - std::min(counts.objects, free);
}

// As count_partial() in mm/slub.c. A slab that leaves the list while it is read may lead to a list
// of another cache, so each has to say whose it is.
WalkEnd SlabCaches::count_free(Reader& reader, GuestVirtual cache, GuestVirtual node,
                               std::uint64_t& free) {
  const GuestVirtual head = node + fields_.partial;
  GuestVirtual at;
  CycleGuard guard;
  if (!reader.load(head, at.value)) return WalkEnd::unreadable;
  while (at != head) {
    const GuestVirtual slab = at - fields_.slab_link;
    GuestVirtual owner;
    std::uint16_t in_use = 0;
    std::uint16_t all = 0;
    if (!reader.load(slab + fields_.owner, owner.value) ||
        !reader.load_statistic(slab + fields_.in_use.offset, in_use) ||
        !reader.load_statistic(slab + fields_.all.offset, all))
      return WalkEnd::unreadable;
    if (owner != cache || guard.closes(at) || !partial_slabs_.spend(1)) return WalkEnd::astray;
    const std::uint32_t room = fields_.all.of(all);
    free += room - std::min(room, fields_.in_use.of(in_use));
    if (!reader.load(at, at.value)) return WalkEnd::unreadable;
  }
  return WalkEnd::whole;
}

// Of new slabs; where memory was short, some may be smaller. False where the pages are not known.
bool SlabCaches::put_shape(Reader& reader, GuestVirtual cache, Row& row,
                           std::uint64_t& pages) const {
  constexpr unsigned kOrderShift = 16;  // OO_SHIFT
  std::uint32_t size = 0;
  std::uint32_t shape = 0;
  const bool sized = reader.load(cache + fields_.object_size, size);
  put(kColumnDeclarations, row, kObjectSize, sized, reader.fault(), std::uint64_t{size});
  const bool shaped = reader.load(cache + fields_.order_and_objects, shape);
  const std::uint32_t order = shape >> kOrderShift;
  put(kColumnDeclarations, row, kObjectsPerSlab, shaped, reader.fault(),
      std::uint64_t{shape & ((1U << kOrderShift) - 1)});
  if (order > kHighestOrder) {
    put_inconsistent(row, kPagesPerSlab, "no slab is as large as that");
    return false;
  }
  pages = std::uint64_t{1} << order;
  put(kColumnDeclarations, row, kPagesPerSlab, shaped, reader.fault(), pages);
  return shaped;
}

}  // namespace vitrine::views
