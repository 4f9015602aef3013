// What the guest's CPUs have spent their time on, named after mpstat: one row for all, then one for
// each that is online, as /proc/stat counts.
//
// Thread contract: one thread at a time per object. Cost: some 15 loads a CPU.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "vitrine/views/clock.h"
#include "vitrine/views/idle_time.h"
#include "vitrine/views/per_cpu.h"
#include "vitrine/views/view.h"

namespace vitrine::views {

class ProcessorTime final : public View {
 public:
  // Errors: the member or symbol that is missing; as PerCpu and IdleTime.
  static base::Result<std::unique_ptr<View>> attach(const kernel::Kernel& kernel,
                                                    memory::PhysicalMemory& memory);

  static std::span<const Column> declared_columns();

  std::string_view name() const override { return "processor_time"; }
  std::span<const Column> columns() const override { return declared_columns(); }
  Outcome collect(Reader& reader) override;
  std::size_t size() const override { return rows_.size(); }
  Row row(std::size_t index) const override { return rows_[index]; }

 private:
  enum ColumnIndex : unsigned { kCpu, kUser, kNice, kSystem, kIdle, kWaiting };
  static const std::array<Column, 11> kColumnDeclarations;

  static constexpr std::size_t kKinds = 10;
  using Kinds = std::array<std::uint64_t, kKinds>;

  ProcessorTime(PerCpu cpus, IdleTime idle) : cpus_(std::move(cpus)), idle_(std::move(idle)) {}

  bool read(Reader& reader, const PerCpu::Cpu& cpu, bool online, Kinds& kinds) const;
  static Row row_of(Value cpu, const Kinds& kinds);

  PerCpu cpus_;
  IdleTime idle_;
  std::array<std::optional<base::GuestVirtual>, kKinds> kinds_;  // per-CPU counters
  std::vector<Row> rows_;
};

}  // namespace vitrine::views
