// What the guest's memory is used for, named after free: one row per line of /proc/meminfo that is
// a size.
//
// The kernel keeps most of it in global counters, which its CPUs bring up to date now and then; so
// does /proc/meminfo.
//
// Thread contract: one thread at a time per object.
// Cost: some 80 loads, and 3 for each block device and for each zone of memory.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "vitrine/kernel/kernel.h"
#include "vitrine/views/per_cpu.h"
#include "vitrine/views/view.h"
#include "vitrine/views/zones.h"

namespace vitrine::views {

class MemoryUse final : public View {
 public:
  // Errors: the member or symbol that is missing; as PerCpu.
  static base::Result<std::unique_ptr<View>> attach(const kernel::Kernel& kernel,
                                                    memory::PhysicalMemory& memory);

  static std::span<const Column> declared_columns();

  std::string_view name() const override { return "memory_use"; }
  std::span<const Column> columns() const override { return declared_columns(); }
  Outcome collect(Reader& reader) override;
  std::size_t size() const override { return rows_.size(); }
  Row row(std::size_t index) const override { return rows_[index]; }

 private:
  static const std::array<Column, 2> kColumnDeclarations;

  static constexpr std::size_t kMostParts = 4;

  // A line: the sum of these counters, each so many bytes.
  struct Line {
    std::string_view name;
    std::array<base::GuestVirtual, kMostParts> counters{};
    std::size_t parts = 0;
    std::uint64_t unit = 0;
  };

  // Offsets in bytes within the structure that holds each.
  struct Fields {
    std::uint32_t watermark = 0, boost = 0;                                 // zone
    std::uint32_t inodes = 0, inode_link = 0, mapping = 0, page_count = 0;  // of block devices
    std::uint32_t count = 0, counters = 0;                                  // percpu_counter
  };

  // What /proc/meminfo computes.
  struct Sources {
    std::optional<base::GuestVirtual> devices, committed, reserve, units_of_cpus, pages_of_unit;
    std::optional<base::GuestVirtual> free, active_file, inactive_file, reclaimable,
        other_reclaimable;
    std::optional<base::GuestVirtual> file_pages, swap_cache;
  };

  MemoryUse(PerCpu cpus, const Zones& zones) : cpus_(std::move(cpus)), zones_(zones) {}

  base::Result<void> resolve(const kernel::Kernel& kernel);
  void add_lines(const kernel::Kernel& kernel);

  void add_line(Reader& reader, const Line& line);
  void add_computed(Reader& reader);
  // In pages, those below zero as zero; false where it can't be read.
  static bool load_pages(Reader& reader, std::optional<base::GuestVirtual> counter,
                         std::int64_t& pages);
  bool sum_watermarks(Reader& reader, std::int64_t& pages) const;
  bool count_buffers(Reader& reader, std::int64_t& pages) const;
  bool estimate_available(Reader& reader, std::int64_t& pages) const;
  bool sum_committed(Reader& reader, std::int64_t& pages) const;

  PerCpu cpus_;
  Zones zones_;
  Fields fields_;
  Sources sources_;
  std::vector<Line> lines_;
  std::vector<Row> rows_;
};

}  // namespace vitrine::views
