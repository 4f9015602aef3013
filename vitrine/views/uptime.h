// How long the guest has been up, and how busy it is, named after uptime: one row.
//
// Thread contract: one thread at a time per object. Cost: some 10 loads a CPU.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "vitrine/views/clock.h"
#include "vitrine/views/idle_time.h"
#include "vitrine/views/per_cpu.h"
#include "vitrine/views/view.h"

namespace vitrine::views {

class Uptime final : public View {
 public:
  // Errors: the member or symbol that is missing; as PerCpu and IdleTime.
  static base::Result<std::unique_ptr<View>> attach(const kernel::Kernel& kernel,
                                                    memory::PhysicalMemory& memory);

  static std::span<const Column> declared_columns();

  std::string_view name() const override { return "load"; }
  std::span<const Column> columns() const override { return declared_columns(); }
  Outcome collect(Reader& reader) override;
  std::size_t size() const override { return rows_.size(); }
  Row row(std::size_t index) const override { return rows_[index]; }

 private:
  enum ColumnIndex : unsigned {
    kUptime,
    kIdle,
    kLoad1,
    kLoad5,
    kLoad15,
    kRunning,
    kThreads,
    kColumns
  };
  static const std::array<Column, kColumns> kColumnDeclarations;

  Uptime(PerCpu cpus, const Clock& clock, IdleTime idle)
      : cpus_(std::move(cpus)), clock_(clock), idle_(std::move(idle)) {}

  bool sum_idle(Reader& reader, std::uint64_t& sum) const;
  void read_load(Reader& reader, Row& row) const;

  PerCpu cpus_;
  Clock clock_;
  IdleTime idle_;
  base::GuestVirtual load_, threads_, running_;  // the last per CPU
  std::vector<Row> rows_;
};

}  // namespace vitrine::views
