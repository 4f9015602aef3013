// How often the guest was interrupted, and by what: one row per line of /proc/interrupts.
//
// Lines of the kernel's own that /proc/interrupts hides are shown too: on arm64 the interrupts
// between CPUs are among them.
//
// Thread contract: one thread at a time per object.
// Cost: some 30 loads a line, and one for each CPU; that of the tree of lines.
#pragma once

#include <array>
#include <vector>

#include "vitrine/views/budget.h"
#include "vitrine/views/interrupt_descriptors.h"
#include "vitrine/views/per_cpu.h"
#include "vitrine/views/processor_interrupts.h"
#include "vitrine/views/view.h"

namespace vitrine::views {

class InterruptLines final : public View {
 public:
  // Errors: the member or symbol that is missing; as PerCpu, InterruptDescriptors and
  // find_processor_interrupts.
  static base::Result<std::unique_ptr<View>> attach(const kernel::Kernel& kernel,
                                                    memory::PhysicalMemory& memory);

  static std::span<const Column> declared_columns();

  std::string_view name() const override { return "interrupt_lines"; }
  std::span<const Column> columns() const override { return declared_columns(); }
  Outcome collect(Reader& reader) override;
  std::size_t size() const override { return rows_.size(); }
  Row row(std::size_t index) const override { return rows_[index]; }

 private:
  enum ColumnIndex : unsigned {
    kIrq,
    kTotal,
    kPerCpu,
    kController,
    kHardwareNumber,
    kTrigger,
    kActions,
    kColumns
  };
  static const std::array<Column, kColumns> kColumnDeclarations;

  // Offsets in bytes within the structure that holds each.
  struct Fields {
    std::uint32_t controller = 0, domain = 0, hardware_number = 0;  // irq_desc, its irq_data
    std::uint32_t state = 0, action = 0, counters = 0;              // irq_desc
    std::uint32_t count = 0;                                        // irqstat
    std::uint32_t controller_name = 0, next_action = 0, action_name = 0;
  };

  InterruptLines(PerCpu cpus, const InterruptDescriptors& descriptors,
                 std::vector<ProcessorInterrupt> own)
      : cpus_(std::move(cpus)), descriptors_(descriptors), own_(std::move(own)) {}

  base::Result<void> resolve(const kernel::Kernel& kernel, Resolver& at);

  void add_line(Reader& reader, std::uint64_t number, base::GuestVirtual at);
  void add_own(Reader& reader, const ProcessorInterrupt& interrupt);
  bool load_counts(Reader& reader, base::GuestVirtual counters, std::uint32_t offset, bool decides);
  void put_counts(Row& row, bool readable, paging::Fault fault) const;
  void put_controller(Reader& reader, base::GuestVirtual at, Row& row) const;
  void put_trigger(Reader& reader, base::GuestVirtual at, Row& row) const;
  void put_actions(Reader& reader, base::GuestVirtual action, Row& row);

  PerCpu cpus_;
  InterruptDescriptors descriptors_;
  std::vector<ProcessorInterrupt> own_;
  Fields fields_;
  std::uint32_t level_ = 0;     // a bit of `state`
  base::GuestVirtual chained_;  // the action of lines that only pass others on; 0 if unknown
  Budget nodes_{4096};          // of the tree
  Budget lines_left_{65'536};
  Budget counts_left_{4U << 20};
  Budget text_{16U << 20};  // bytes
  std::vector<PerCpu::Cpu> online_;
  std::vector<std::uint32_t> counts_;  // of one line, by the CPUs that are online
  std::vector<Row> rows_;
};

}  // namespace vitrine::views
