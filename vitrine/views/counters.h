// What the guest's kernel counts of its memory and tasks, named after vmstat: one row per counter,
// as /proc/vmstat names it, then those of /proc/stat.
//
// The names are the kernel's own (vmstat_text). Left out is what /proc/vmstat computes or keeps
// apart: the two thresholds of dirty pages and what the page tables' descriptors take.
//
// Thread contract: one thread at a time per object.
// Cost: some 100 loads, and 120 for each CPU.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "vitrine/views/per_cpu.h"
#include "vitrine/views/view.h"
#include "vitrine/views/zones.h"

namespace vitrine::views {

class Counters final : public View {
 public:
  // Reads the names. Errors: the member or symbol that is missing; as PerCpu and Zones.
  static base::Result<std::unique_ptr<View>> attach(const kernel::Kernel& kernel,
                                                    memory::PhysicalMemory& memory);

  static std::span<const Column> declared_columns();

  std::string_view name() const override { return "counters"; }
  std::span<const Column> columns() const override { return declared_columns(); }
  Outcome collect(Reader& reader) override;
  std::size_t size() const override { return rows_.size(); }
  Row row(std::size_t index) const override { return rows_[index]; }

 private:
  static const std::array<Column, 2> kColumnDeclarations;

  enum class Kind : std::uint8_t {
    global,   // one counter, below zero counts as zero
    huge,     // the same, in pages, to be told in huge pages
    numa,     // one counter, and a part for each CPU and zone
    event,    // one for each CPU
    sectors,  // the same, to be told in KiB
  };

  struct Counter {
    std::string name;
    Kind kind = Kind::global;
    base::GuestVirtual at;      // of `event`, per CPU
    std::uint32_t in_zone = 0;  // of `numa`: offset in per_cpu_zonestat
  };

  // Of tasks; per CPU, but for the first.
  struct Tasks {
    std::optional<base::GuestVirtual> forks;
    base::GuestVirtual switches, running, blocked;
  };

  Counters(PerCpu cpus, const Zones& zones) : cpus_(std::move(cpus)), zones_(zones) {}

  base::Result<void> resolve(const kernel::Kernel& kernel, memory::PhysicalMemory& memory);

  bool read(Reader& reader, const Counter& counter, const std::vector<PerCpu::Cpu>& online,
            const std::vector<base::GuestVirtual>& zones, std::int64_t& value) const;
  void add_tasks(Reader& reader, const std::vector<PerCpu::Cpu>& online);

  PerCpu cpus_;
  Zones zones_;
  std::uint32_t zone_parts_ = 0;  // zone.per_cpu_zonestats
  std::vector<Counter> counters_;
  Tasks tasks_;
  std::vector<Row> rows_;
};

}  // namespace vitrine::views
