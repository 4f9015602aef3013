#include "vitrine/views/uptime.h"

#include <fmt/format.h>

#include <array>

#include "vitrine/views/resolver.h"
#include "vitrine/views/statistics.h"

namespace vitrine::views {
namespace {

// As /proc/loadavg shows a load: eleven binary places, rounded to hundredths.
std::string load_text(std::uint64_t load) {
  constexpr std::uint64_t kOne = 1 << 11;  // FIXED_1, include/linux/sched/loadavg.h
  const std::uint64_t rounded = load + kOne / 200;
  return fmt::format("{}.{:02}", rounded / kOne, rounded % kOne * 100 / kOne);
}

}  // namespace

constinit const std::array<Column, Uptime::kColumns> Uptime::kColumnDeclarations{{
    {"uptime_ns", Type::nanoseconds,
     "since the guest booted, in nanoseconds, as of its last clock tick", true},
    {"idle_ns", Type::nanoseconds, "for which its CPUs were idle, added up, in nanoseconds", true},
    {"load1", Type::text, "mean number of tasks that ran, or waited uninterruptibly, last minute",
     true},
    {"load5", Type::text, "the same of the last five minutes", true},
    {"load15", Type::text, "the same of the last fifteen minutes", true},
    {"running", Type::integer, "tasks that run, or would if there was a CPU for them", true},
    {"threads", Type::integer, "tasks that there are", true},
}};

std::span<const Column> Uptime::declared_columns() { return kColumnDeclarations; }

base::Result<std::unique_ptr<View>> Uptime::attach(const kernel::Kernel& kernel,
                                                   memory::PhysicalMemory& memory) {
  auto cpus = PerCpu::attach(kernel, memory);
  if (!cpus) return base::fail(cpus.error());
  const auto clock = Clock::attach(kernel);
  if (!clock) return base::fail(clock.error());
  auto idle = IdleTime::attach(kernel);
  if (!idle) return base::fail(idle.error());
  constexpr std::array<std::string_view, 3> kSymbols{"avenrun", "nr_threads", "runqueues"};
  const auto symbols = kernel.symbols.find(kSymbols);
  for (std::size_t i = 0; i < kSymbols.size(); ++i)
    if (!symbols[i])
      return base::fail(base::Code::unsupported,
                        "this kernel's kallsyms does not name " + std::string(kSymbols.at(i)),
                        "the guest's kernel needs CONFIG_KALLSYMS_ALL");
  Resolver at(kernel.types);
  const std::uint32_t running = at("rq", "nr_running");
  if (at.error()) return base::fail(*at.error());
  std::unique_ptr<Uptime> view(new Uptime(std::move(*cpus), *clock, std::move(*idle)));
  view->load_ = *symbols[0];
  view->threads_ = *symbols[1];
  view->running_ = *symbols[2] + running;
  return std::unique_ptr<View>(std::move(view));
}

Outcome Uptime::collect(Reader& reader) {
  rows_.clear();
  Row row;
  row.values.resize(kColumns);
  const auto put = [&](unsigned column, bool readable, std::uint64_t value) {
    if (readable)
      row.values[column] = value;
    else
      row.errors.push_back({kColumnDeclarations.at(column).name, base::Code::unreadable,
                            std::string(paging::name(reader.fault()))});
  };
  Times times;
  std::uint64_t idle = 0;
  std::uint32_t threads = 0;
  std::int64_t running = 0;
  const bool timed = clock_.read(reader, times);
  put(kUptime, timed, times.boot_ns);
  const bool summed = sum_idle(reader, idle);
  put(kIdle, summed, idle);
  const bool counted = sum_over<std::uint32_t>(reader, cpus_.possible(), running_, running);
  put(kRunning, counted, static_cast<std::uint64_t>(running));
  const bool loaded = reader.load(threads_, threads);
  put(kThreads, loaded, threads);
  read_load(reader, row);
  rows_.push_back(std::move(row));
  return {};
}

bool Uptime::sum_idle(Reader& reader, std::uint64_t& sum) const {
  std::vector<PerCpu::Cpu> online;
  if (!cpus_.read_online(reader, online)) return false;
  auto next_online = online.begin();
  for (const PerCpu::Cpu& cpu : cpus_.possible()) {
    const bool is_online = next_online != online.end() && next_online->number == cpu.number;
    if (is_online) ++next_online;
    Idle idle;
    if (!idle_.read(reader, cpu, is_online, idle)) return false;
    sum += idle.idle;
  }
  return true;
}

void Uptime::read_load(Reader& reader, Row& row) const {
  for (unsigned i = 0; i < 3; ++i) {
    std::uint64_t load = 0;
    if (reader.load(load_ + std::uint64_t{i} * 8, load))
      row.values[kLoad1 + i] = load_text(load);
    else
      row.errors.push_back({kColumnDeclarations.at(kLoad1 + i).name, base::Code::unreadable,
                            std::string(paging::name(reader.fault()))});
  }
}

}  // namespace vitrine::views
