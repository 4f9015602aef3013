#include "vitrine/views/counters.h"

#include <algorithm>
#include <array>

#include "vitrine/views/resolver.h"
#include "vitrine/views/statistics.h"
#include "vitrine/views/text.h"

namespace vitrine::views {
namespace {

using base::Code;
using base::fail;
using base::GuestVirtual;
using base::kPage;

constexpr std::size_t kMaxCounterName = 64;
constexpr std::int64_t kPagesOfHugePage = 512;

// What is told in huge pages: vmstat_item_print_in_thp().
constexpr std::array<std::string_view, 5> kHuge{"nr_shmem_hugepages", "nr_shmem_pmdmapped",
                                                "nr_file_hugepages", "nr_file_pmdmapped",
                                                "nr_anon_transparent_hugepages"};

// Reads texts of the kernel that it points to from a table.
class Names {
 public:
  Names(const kernel::Kernel& kernel, memory::PhysicalMemory& memory, GuestVirtual table)
      : walked_(*kernel.space.format, kernel.space.root, memory), table_(table) {}

  base::Result<std::string> next() {
    GuestVirtual at;
    if (auto read = walked_.read(table_, std::as_writable_bytes(std::span(&at.value, 1))); !read)
      return fail(read.error());
    table_ = table_ + 8;
    return read_text(walked_, at, kMaxCounterName);
  }
  void skip(std::uint64_t count) { table_ = table_ + count * 8; }

 private:
  paging::WalkedMemory walked_;
  GuestVirtual table_;
};

}  // namespace

constinit const std::array<Column, 2> Counters::kColumnDeclarations{{
    {"name", Type::text,
     "as /proc/vmstat; then context_switches, forks, running and blocked as in /proc/stat"},
    {"value", Type::integer, "how often, or how many at this moment: pages, tasks, …", true},
}};

std::span<const Column> Counters::declared_columns() { return kColumnDeclarations; }

base::Result<std::unique_ptr<View>> Counters::attach(const kernel::Kernel& kernel,
                                                     memory::PhysicalMemory& memory) {
  auto cpus = PerCpu::attach(kernel, memory);
  if (!cpus) return fail(cpus.error());
  const auto zones = Zones::attach(kernel);
  if (!zones) return fail(zones.error());
  std::unique_ptr<Counters> view(new Counters(std::move(*cpus), *zones));
  if (auto resolved = view->resolve(kernel, memory); !resolved) return fail(resolved.error());
  return std::unique_ptr<View>(std::move(view));
}

// The names stand in the order of vmstat_start() in mm/vmstat.c: of zones, of NUMA where the kernel
// knows it, of nodes, some that are kept apart, and of events.
base::Result<void> Counters::resolve(const kernel::Kernel& kernel, memory::PhysicalMemory& memory) {
  enum Name : std::size_t { kText, kZones, kNodes, kEvents, kQueues, kNuma, kForks, kNames };
  constexpr std::array<std::string_view, kNames> kSymbols{
      "vmstat_text", "vm_zone_stat",  "vm_node_stat", "vm_event_states",
      "runqueues",   "vm_numa_event", "total_forks"};
  const auto symbols = kernel.symbols.find(kSymbols);
  for (std::size_t i = kText; i <= kQueues; ++i)
    if (!symbols[i])
      return fail(Code::unsupported,
                  "this kernel's kallsyms does not name " + std::string(kSymbols.at(i)),
                  "the guest's kernel needs CONFIG_KALLSYMS_ALL");
  const auto count = [&kernel](std::string_view enumerator) {
    return find_enumerator(kernel.types, enumerator).value_or(0);
  };
  Resolver at(kernel.types);
  const kernel::Member events = at.member("vm_event_state", "event");
  const GuestVirtual queues = *symbols[kQueues];
  tasks_ = {symbols[kForks], queues + at("rq", "nr_switches"), queues + at("rq", "nr_running"),
            queues + at("rq", "nr_iowait")};
  zone_parts_ = at("zone", "per_cpu_zonestats");
  const std::uint32_t numa = symbols[kNuma] ? at("per_cpu_zonestat", "vm_numa_event") : 0;
  if (at.error()) return fail(*at.error());
  Names names(kernel, memory, *symbols[kText]);
  const auto add = [&](Kind kind, std::uint64_t number, GuestVirtual first,
                       std::uint32_t in_zone = 0) -> base::Result<void> {
    for (std::uint64_t i = 0; i < number; ++i) {
      auto name = names.next();
      if (!name) return fail(name.error());
      const bool huge = kind == Kind::global && std::ranges::find(kHuge, *name) != kHuge.end();
      const bool sectors = kind == Kind::event && (*name == "pgpgin" || *name == "pgpgout");
      counters_.push_back({std::move(*name), huge ? Kind::huge : (sectors ? Kind::sectors : kind),
                           first + i * 8, in_zone + static_cast<std::uint32_t>(i) * 8});
    }
    return {};
  };
  if (auto added = add(Kind::global, count("NR_VM_ZONE_STAT_ITEMS"), *symbols[kZones]); !added)
    return added;
  if (symbols[kNuma])
    if (auto added = add(Kind::numa, count("NR_VM_NUMA_EVENT_ITEMS"), *symbols[kNuma], numa);
        !added)
      return added;
  if (auto added = add(Kind::global, count("NR_VM_NODE_STAT_ITEMS"), *symbols[kNodes]); !added)
    return added;
  // Grown and renamed in 6.11.
  names.skip(count("NR_VM_STAT_ITEMS") != 0 ? count("NR_VM_STAT_ITEMS")
                                            : count("NR_VM_WRITEBACK_STAT_ITEMS"));
  return add(Kind::event, std::min<std::uint64_t>(events.element_count, 1024),
             *symbols[kEvents] + events.offset);
}

Outcome Counters::collect(Reader& reader) {
  rows_.clear();
  std::vector<PerCpu::Cpu> online;
  std::vector<GuestVirtual> zones;
  if (!cpus_.read_online(reader, online) || !zones_.read(reader, zones))
    return {false, {"which CPUs and zones of memory there are could not be read"}};
  for (const Counter& counter : counters_) {
    std::int64_t value = 0;
    const bool readable = read(reader, counter, online, zones, value);
    add_named(reader, kColumnDeclarations, counter.name, readable, value, rows_);
  }
  add_tasks(reader, online);
  return {};
}

bool Counters::read(Reader& reader, const Counter& counter, const std::vector<PerCpu::Cpu>& online,
                    const std::vector<GuestVirtual>& zones, std::int64_t& value) const {
  if (counter.kind == Kind::event || counter.kind == Kind::sectors) {
    if (!sum_over<std::int64_t>(reader, online, counter.at, value)) return false;
    if (counter.kind == Kind::sectors) value /= 2;
    return true;
  }
  if (!reader.load(counter.at, value)) return false;
  value = std::max<std::int64_t>(value, 0);
  if (counter.kind == Kind::huge) value /= kPagesOfHugePage;
  if (counter.kind != Kind::numa) return true;
  for (const GuestVirtual zone : zones) {
    GuestVirtual parts;
    if (!reader.load(zone + zone_parts_, parts.value)) return false;
    // A zone without memory has the parts of the time when the kernel booted.
    if (!sum_over<std::int64_t>(reader, online, parts + counter.in_zone, value)) return false;
  }
  return true;
}

void Counters::add_tasks(Reader& reader, const std::vector<PerCpu::Cpu>& online) {
  const auto add = [&](std::string_view name, bool readable, std::int64_t value) {
    add_named(reader, kColumnDeclarations, name, readable, value, rows_);
  };
  std::int64_t switches = 0;
  std::int64_t forks = 0;
  std::int64_t running = 0;
  std::int64_t blocked = 0;
  const bool switched = sum_over<std::int64_t>(reader, cpus_.possible(), tasks_.switches, switches);
  add("context_switches", switched, switches);
  if (tasks_.forks) {
    const bool forked = reader.load(*tasks_.forks, forks);
    add("forks", forked, forks);
  }
  const bool ran = sum_over<std::uint32_t>(reader, online, tasks_.running, running);
  add("running", ran, running);
  const bool waited = sum_over<std::int32_t>(reader, cpus_.possible(), tasks_.blocked, blocked);
  add("blocked", waited, std::max<std::int64_t>(blocked, 0));
}

}  // namespace vitrine::views
