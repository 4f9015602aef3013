// The guest's CPUs, named after lscpu: one row for each that there may be, with what /proc/cpuinfo
// shows of those that are online.
//
// What a CPU can do the kernel keeps as bits; the names of these are the kernel's own
// (x86_cap_flags, x86_bug_flags).
//
// Thread contract: one thread at a time per object. Cost: some 40 loads a CPU, and once for each
// name those of its text.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "vitrine/views/budget.h"
#include "vitrine/views/per_cpu.h"
#include "vitrine/views/resolver.h"
#include "vitrine/views/view.h"

namespace vitrine::views {

class Processors final : public View {
 public:
  // Errors: the member or symbol that is missing; as PerCpu.
  static base::Result<std::unique_ptr<View>> attach(const kernel::Kernel& kernel,
                                                    memory::PhysicalMemory& memory);

  static std::span<const Column> declared_columns();

  std::string_view name() const override { return "processors"; }
  std::span<const Column> columns() const override { return declared_columns(); }
  Outcome collect(Reader& reader) override;
  std::size_t size() const override { return rows_.size(); }
  Row row(std::size_t index) const override { return rows_[index]; }

 private:
  enum ColumnIndex : unsigned {
    kCpu,
    kOnline,
    kVendor,
    kModelName,
    kFamily,
    kModel,
    kStepping,
    kMicrocode,
    kFrequency,
    kCache,
    kPackage,
    kDie,
    kCore,
    kApic,
    kFlags,
    kBugs,
    kColumns
  };
  static const std::array<Column, kColumns> kColumnDeclarations;

  struct Number {
    std::uint32_t offset = 0, size = 0;  // bytes, in cpuinfo_x86
  };

  // Bits, and where the addresses of their names are; no table: this kernel names none.
  struct Flags {
    std::uint32_t first_word = 0, words = 0;  // of 32 bits, in x86_capability
    std::optional<base::GuestVirtual> names;
  };

  struct Fields {
    Number family, model, stepping, microcode, cache, package, die, core, apic;
    std::uint32_t vendor = 0, model_name = 0, capabilities = 0;
  };

  explicit Processors(PerCpu cpus) : cpus_(std::move(cpus)) {}

  base::Result<void> resolve(const kernel::Kernel& kernel);
  static Number number(Resolver& at, const kernel::TypeLookup& types,
                       std::initializer_list<std::string_view> names);

  void read_cpu(Reader& reader, base::GuestVirtual at, Row& row);
  bool read_flags(Reader& reader, base::GuestVirtual at, const Flags& flags, std::string& text);
  bool name_of(Reader& reader, base::GuestVirtual at, std::string& name);

  PerCpu cpus_;
  base::GuestVirtual info_;                      // struct cpuinfo_x86, per CPU
  std::optional<base::GuestVirtual> frequency_;  // cpu_khz
  Fields fields_;
  Flags features_, bugs_;
  Budget text_{64U << 20};                           // bytes, of a collection
  std::map<base::GuestVirtual, std::string> names_;  // by where the table says so
  std::vector<Row> rows_;
};

}  // namespace vitrine::views
