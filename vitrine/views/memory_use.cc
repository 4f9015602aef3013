#include "vitrine/views/memory_use.h"

#include <algorithm>

#include "vitrine/views/cycle_guard.h"
#include "vitrine/views/resolver.h"
#include "vitrine/views/statistics.h"

namespace vitrine::views {
namespace {

using base::GuestVirtual;
using base::kPage;

constexpr std::uint64_t kKibi = 1024;
constexpr std::size_t kMaxDevices = 65'536;  // block devices with an inode

// Where a counter is kept.
enum class Home : std::uint8_t { node, zone, symbol };

struct Part {
  Home home = Home::node;
  std::string_view name = {};  // of the enumerator or the symbol; empty: no further part
};

struct Declared {
  std::string_view name;
  std::array<Part, 4> parts;
  std::uint64_t unit = kPage;
};

constexpr Part node(std::string_view name) { return {Home::node, name}; }
constexpr Part zone(std::string_view name) { return {Home::zone, name}; }
constexpr Part symbol(std::string_view name) { return {Home::symbol, name}; }

// As meminfo_proc_show() in fs/proc/meminfo.c. A counter that this kernel has not is left out, and
// a line without any, too.
constexpr std::array kLines{
    Declared{"MemTotal", {symbol("_totalram_pages")}},
    Declared{"MemFree", {zone("NR_FREE_PAGES")}},
    Declared{"SwapCached", {node("NR_SWAPCACHE")}},
    Declared{"Active", {node("NR_ACTIVE_ANON"), node("NR_ACTIVE_FILE")}},
    Declared{"Inactive", {node("NR_INACTIVE_ANON"), node("NR_INACTIVE_FILE")}},
    Declared{"Active(anon)", {node("NR_ACTIVE_ANON")}},
    Declared{"Inactive(anon)", {node("NR_INACTIVE_ANON")}},
    Declared{"Active(file)", {node("NR_ACTIVE_FILE")}},
    Declared{"Inactive(file)", {node("NR_INACTIVE_FILE")}},
    Declared{"Unevictable", {node("NR_UNEVICTABLE")}},
    Declared{"Mlocked", {zone("NR_MLOCK")}},
    Declared{"SwapTotal", {symbol("total_swap_pages")}},
    Declared{"SwapFree", {symbol("nr_swap_pages")}},
    Declared{"Dirty", {node("NR_FILE_DIRTY")}},
    Declared{"Writeback", {node("NR_WRITEBACK")}},
    Declared{"AnonPages", {node("NR_ANON_MAPPED")}},
    Declared{"Mapped", {node("NR_FILE_MAPPED")}},
    Declared{"Shmem", {node("NR_SHMEM")}},
    Declared{"KReclaimable", {node("NR_SLAB_RECLAIMABLE_B"), node("NR_KERNEL_MISC_RECLAIMABLE")}},
    Declared{"Slab", {node("NR_SLAB_RECLAIMABLE_B"), node("NR_SLAB_UNRECLAIMABLE_B")}},
    Declared{"SReclaimable", {node("NR_SLAB_RECLAIMABLE_B")}},
    Declared{"SUnreclaim", {node("NR_SLAB_UNRECLAIMABLE_B")}},
    Declared{"KernelStack", {node("NR_KERNEL_STACK_KB")}, kKibi},
    Declared{"PageTables", {node("NR_PAGETABLE")}},
    Declared{"SecPageTables", {node("NR_SECONDARY_PAGETABLE")}},
    Declared{"WritebackTmp", {node("NR_WRITEBACK_TEMP")}},
    // A counter of its own until it became one of the nodes'.
    Declared{"VmallocUsed", {symbol("nr_vmalloc_pages"), node("NR_VMALLOC")}},
    Declared{"HardwareCorrupted", {symbol("num_poisoned_pages")}},
    Declared{"AnonHugePages", {node("NR_ANON_THPS")}},
    Declared{"ShmemHugePages", {node("NR_SHMEM_THPS")}},
    Declared{"ShmemPmdMapped", {node("NR_SHMEM_PMDMAPPED")}},
    Declared{"FileHugePages", {node("NR_FILE_THPS")}},
    Declared{"FilePmdMapped", {node("NR_FILE_PMDMAPPED")}},
    Declared{"Unaccepted", {zone("NR_UNACCEPTED")}},
};

}  // namespace

constinit const std::array<Column, 2> MemoryUse::kColumnDeclarations{{
    {"name", Type::text, "what for, as /proc/meminfo names it"},
    {"bytes", Type::bytes, "how much, in bytes", true, "SIZE"},
}};

std::span<const Column> MemoryUse::declared_columns() { return kColumnDeclarations; }

base::Result<std::unique_ptr<View>> MemoryUse::attach(const kernel::Kernel& kernel,
                                                      memory::PhysicalMemory& memory) {
  auto cpus = PerCpu::attach(kernel, memory);
  if (!cpus) return base::fail(cpus.error());
  const auto zones = Zones::attach(kernel);
  if (!zones) return base::fail(zones.error());
  std::unique_ptr<MemoryUse> view(new MemoryUse(std::move(*cpus), *zones));
  if (auto resolved = view->resolve(kernel); !resolved) return base::fail(resolved.error());
  return std::unique_ptr<View>(std::move(view));
}

base::Result<void> MemoryUse::resolve(const kernel::Kernel& kernel) {
  Resolver at(kernel.types);
  fields_.watermark = at("zone", "_watermark[1]");  // WMARK_LOW
  fields_.boost = at("zone", "watermark_boost");
  fields_.inodes = at("super_block", "s_inodes");
  fields_.inode_link = at("inode", "i_sb_list");
  fields_.mapping = at("inode", "i_mapping");
  fields_.page_count = at("address_space", "nrpages");
  fields_.count = at("percpu_counter", "count");
  fields_.counters = at("percpu_counter", "counters");
  if (at.error()) return base::fail(*at.error());
  add_lines(kernel);
  if (lines_.empty())
    return base::fail(base::Code::unsupported, "this kernel's kallsyms does not name its counters",
                      "the guest's kernel needs CONFIG_KALLSYMS_ALL");
  return {};
}

void MemoryUse::add_lines(const kernel::Kernel& kernel) {
  enum Name : std::size_t {
    kNodeCounters,
    kZoneCounters,
    kDevices,
    kCommitted,
    kReserve,
    kUnits,
    kUnitPages,
    kFirstOfLines
  };
  std::vector<std::string_view> names{
      "vm_node_stat",       "vm_zone_stat",  "blockdev_superblock", "vm_committed_as",
      "totalreserve_pages", "pcpu_nr_units", "pcpu_nr_populated"};
  for (const Declared& line : kLines)
    for (const Part& part : line.parts)
      if (part.home == Home::symbol) names.push_back(part.name);
  const auto symbols = kernel.symbols.find(names);
  const auto find = [&](const Part& part) -> std::optional<GuestVirtual> {
    if (part.home == Home::symbol) {
      const auto found = std::ranges::find(names, part.name);
      return symbols[static_cast<std::size_t>(found - names.begin())];
    }
    const auto home = symbols[part.home == Home::node ? kNodeCounters : kZoneCounters];
    const auto number = find_enumerator(kernel.types, part.name);
    if (!home || !number) return std::nullopt;
    return *home + std::uint64_t{*number} * 8;
  };
  for (const Declared& declared : kLines) {
    Line line{declared.name, {}, 0, declared.unit};
    for (const Part& part : declared.parts)
      if (!part.name.empty())
        if (const auto counter = find(part)) line.counters.at(line.parts++) = *counter;
    if (line.parts > 0) lines_.push_back(line);
  }
  sources_ = {.devices = symbols[kDevices],
              .committed = symbols[kCommitted],
              .reserve = symbols[kReserve],
              .units_of_cpus = symbols[kUnits],
              .pages_of_unit = symbols[kUnitPages],
              .free = find(zone("NR_FREE_PAGES")),
              .active_file = find(node("NR_ACTIVE_FILE")),
              .inactive_file = find(node("NR_INACTIVE_FILE")),
              .reclaimable = find(node("NR_SLAB_RECLAIMABLE_B")),
              .other_reclaimable = find(node("NR_KERNEL_MISC_RECLAIMABLE")),
              .file_pages = find(node("NR_FILE_PAGES")),
              .swap_cache = find(node("NR_SWAPCACHE"))};
}

Outcome MemoryUse::collect(Reader& reader) {
  rows_.clear();
  for (const Line& line : lines_) {
    add_line(reader, line);
    // Where /proc/meminfo has them.
    if (line.name == "MemFree") add_computed(reader);
  }
  return {};
}

void MemoryUse::add_line(Reader& reader, const Line& line) {
  std::int64_t sum = 0;
  bool readable = true;
  for (std::size_t i = 0; i < line.parts; ++i) {
    std::int64_t part = 0;
    readable = readable && load_pages(reader, line.counters.at(i), part);
    sum += part;
  }
  add_named(reader, kColumnDeclarations, line.name, readable,
            static_cast<std::uint64_t>(sum) * line.unit, rows_);
}

void MemoryUse::add_computed(Reader& reader) {
  const auto add = [&](std::string_view name, bool readable, std::int64_t pages) {
    add_named(reader, kColumnDeclarations, name, readable,
              static_cast<std::uint64_t>(std::max<std::int64_t>(pages, 0)) * kPage, rows_);
  };
  std::int64_t available = 0;
  std::int64_t buffers = 0;
  std::int64_t file_pages = 0;
  std::int64_t swap_cache = 0;
  std::int64_t committed = 0;
  const bool estimated = estimate_available(reader, available);
  add("MemAvailable", estimated, available);
  const bool counted = count_buffers(reader, buffers);
  add("Buffers", counted, buffers);
  const bool cached = counted && load_pages(reader, sources_.file_pages, file_pages) &&
                      load_pages(reader, sources_.swap_cache, swap_cache);
  add("Cached", cached, file_pages - swap_cache - buffers);
  const bool promised = sum_committed(reader, committed);
  add("Committed_AS", promised, committed);
  std::int32_t units = 0;
  std::int32_t unit_pages = 0;
  if (!sources_.units_of_cpus || !sources_.pages_of_unit) return;
  const bool per_cpu = reader.load(*sources_.units_of_cpus, units) &&
                       reader.load(*sources_.pages_of_unit, unit_pages);
  add("Percpu", per_cpu, std::int64_t{units} * unit_pages);
}

bool MemoryUse::load_pages(Reader& reader, std::optional<GuestVirtual> counter,
                           std::int64_t& pages) {
  pages = 0;
  if (counter && !reader.load(*counter, pages)) return false;
  pages = std::clamp<std::int64_t>(pages, 0, std::int64_t{1} << 52);
  return true;
}

bool MemoryUse::sum_watermarks(Reader& reader, std::int64_t& pages) const {
  std::vector<GuestVirtual> zones;
  if (!zones_.read(reader, zones)) return false;
  for (const GuestVirtual zone_at : zones) {
    std::int64_t low = 0;
    std::int64_t boost = 0;
    if (!load_pages(reader, zone_at + fields_.watermark, low) ||
        !load_pages(reader, zone_at + fields_.boost, boost))
      return false;
    pages += low + boost;
  }
  return true;
}

// si_mem_available() in mm/show_mem.c: what could be had without swapping.
bool MemoryUse::estimate_available(Reader& reader, std::int64_t& pages) const {
  std::int64_t free = 0;
  std::int64_t reserve = 0;
  std::int64_t active = 0;
  std::int64_t inactive = 0;
  std::int64_t slab = 0;
  std::int64_t other = 0;
  std::int64_t low = 0;
  if (!load_pages(reader, sources_.free, free) || !load_pages(reader, sources_.reserve, reserve) ||
      !load_pages(reader, sources_.active_file, active) ||
      !load_pages(reader, sources_.inactive_file, inactive) ||
      !load_pages(reader, sources_.reclaimable, slab) ||
      !load_pages(reader, sources_.other_reclaimable, other) || !sum_watermarks(reader, low))
    return false;
  const std::int64_t cache = active + inactive;
  const std::int64_t reclaimable = slab + other;
  pages = free - reserve + cache - std::min(cache / 2, low) + reclaimable -
          std::min(reclaimable / 2, low);
  return true;
}

// nr_blockdev_pages(): what is cached of block devices themselves.
bool MemoryUse::count_buffers(Reader& reader, std::int64_t& pages) const {
  pages = 0;
  GuestVirtual super;
  GuestVirtual at;
  if (!sources_.devices) return true;
  if (!reader.load(*sources_.devices, super.value)) return false;
  const GuestVirtual head = super + fields_.inodes;
  CycleGuard guard;
  bool readable = reader.load(head, at.value);
  for (std::size_t count = 0; readable && at != head; ++count) {
    if (guard.closes(at) || count >= kMaxDevices) return false;
    GuestVirtual mapping;
    std::int64_t part = 0;
    readable = reader.load(at - fields_.inode_link + fields_.mapping, mapping.value) &&
               load_pages(reader, mapping + fields_.page_count, part) && reader.load(at, at.value);
    pages += part;
  }
  return readable;
}

// vm_memory_committed(): a counter, and each CPU's part of it.
bool MemoryUse::sum_committed(Reader& reader, std::int64_t& pages) const {
  GuestVirtual parts;
  pages = 0;
  return sources_.committed && reader.load(*sources_.committed + fields_.count, pages) &&
         reader.load(*sources_.committed + fields_.counters, parts.value) &&
         sum_over<std::int32_t>(reader, cpus_.possible(), parts, pages);
}

}  // namespace vitrine::views
