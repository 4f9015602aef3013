#include "vitrine/views/processor_time.h"

#include "vitrine/views/resolver.h"
#include "vitrine/views/statistics.h"

namespace vitrine::views {
namespace {

// In the order of the columns.
constexpr std::array<std::string_view, 10> kEnumerators{
    "CPUTIME_USER", "CPUTIME_NICE",    "CPUTIME_SYSTEM", "CPUTIME_IDLE",  "CPUTIME_IOWAIT",
    "CPUTIME_IRQ",  "CPUTIME_SOFTIRQ", "CPUTIME_STEAL",  "CPUTIME_GUEST", "CPUTIME_GUEST_NICE"};

}  // namespace

constinit const std::array<Column, 11> ProcessorTime::kColumnDeclarations{{
    {"cpu", Type::integer, "number of the CPU; null in the first row, which is the sum of all"},
    {"user_ns", Type::nanoseconds, "in user mode, in nanoseconds, that of guests included", true},
    {"nice_ns", Type::nanoseconds, "in user mode, for processes that are nice", true},
    {"system_ns", Type::nanoseconds, "in the kernel, for processes", true},
    {"idle_ns", Type::nanoseconds, "with nothing to do, as of the guest's last clock tick", true},
    {"iowait_ns", Type::nanoseconds, "with nothing to do but to wait for a disk", true},
    {"irq_ns", Type::nanoseconds, "for interrupts", true},
    {"softirq_ns", Type::nanoseconds, "for what interrupts left to be done", true},
    {"steal_ns", Type::nanoseconds, "taken away by the hypervisor", true},
    {"guest_ns", Type::nanoseconds, "for guests of this guest", true},
    {"guest_nice_ns", Type::nanoseconds, "for guests of this guest that are nice", true},
}};

std::span<const Column> ProcessorTime::declared_columns() { return kColumnDeclarations; }

base::Result<std::unique_ptr<View>> ProcessorTime::attach(const kernel::Kernel& kernel,
                                                          memory::PhysicalMemory& memory) {
  auto cpus = PerCpu::attach(kernel, memory);
  if (!cpus) return base::fail(cpus.error());
  auto idle = IdleTime::attach(kernel);
  if (!idle) return base::fail(idle.error());
  const auto counters = kernel.symbols.find("kernel_cpustat");
  Resolver at(kernel.types);
  const std::uint32_t first = at("kernel_cpustat", "cpustat");
  if (at.error()) return base::fail(*at.error());
  std::unique_ptr<ProcessorTime> view(new ProcessorTime(std::move(*cpus), std::move(*idle)));
  for (std::size_t kind = 0; kind < kKinds; ++kind)
    if (const auto number = find_enumerator(kernel.types, kEnumerators.at(kind)))
      view->kinds_.at(kind) = *counters + first + std::uint64_t{*number} * 8;
  return std::unique_ptr<View>(std::move(view));
}

Outcome ProcessorTime::collect(Reader& reader) {
  Outcome outcome;
  rows_.clear();
  std::vector<PerCpu::Cpu> online;
  if (!cpus_.read_online(reader, online))
    return {false, {"which CPUs are online could not be read"}};
  Kinds sum{};
  auto next_online = online.begin();
  for (const PerCpu::Cpu& cpu : cpus_.possible()) {
    const bool is_online = next_online != online.end() && next_online->number == cpu.number;
    if (is_online) ++next_online;
    Kinds kinds{};
    if (!read(reader, cpu, is_online, kinds)) {
      outcome.complete = false;
      outcome.warnings.push_back(
          "what CPU " + std::to_string(cpu.number) +
          " counts could not be read: " + std::string(paging::name(reader.fault())));
      continue;
    }
    for (std::size_t kind = 0; kind < kKinds; ++kind) sum.at(kind) += kinds.at(kind);
    if (is_online) rows_.push_back(row_of(std::uint64_t{cpu.number}, kinds));
  }
  rows_.insert(rows_.begin(), row_of(std::monostate{}, sum));
  return outcome;
}

bool ProcessorTime::read(Reader& reader, const PerCpu::Cpu& cpu, bool online, Kinds& kinds) const {
  for (std::size_t kind = 0; kind < kKinds; ++kind)
    if (kinds_.at(kind) && !reader.load(*kinds_.at(kind) + cpu.offset, kinds.at(kind)))
      return false;
  Idle idle;
  if (!idle_.read(reader, cpu, online, idle)) return false;
  kinds[kIdle - 1] = idle.idle;
  kinds[kWaiting - 1] = idle.waiting;
  return true;
}

Row ProcessorTime::row_of(Value cpu, const Kinds& kinds) {
  Row row;
  row.values.push_back(std::move(cpu));
  for (const std::uint64_t kind : kinds) row.values.emplace_back(kind);
  return row;
}

}  // namespace vitrine::views
