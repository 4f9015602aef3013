// What the views of statistics share: rows of a name and a value, and sums over the guest's CPUs.
//
// Thread contract: as the reader.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/kernel/type_lookup.h"
#include "vitrine/paging/walked_memory.h"
#include "vitrine/views/per_cpu.h"
#include "vitrine/views/reader.h"
#include "vitrine/views/value.h"

namespace vitrine::views {

// The number of an enumerator; nothing where this kernel has none of that name.
inline std::optional<std::uint32_t> find_enumerator(const kernel::TypeLookup& types,
                                                    std::string_view name) {
  const auto value = types.enum_value("", name);
  if (!value || *value < 0 || *value > 0xffff) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

// A row of a name and a value, which is null, with the reason, where it can't be read.
inline void add_named(const Reader& reader, std::span<const Column> columns, std::string_view name,
                      bool readable, Value value, std::vector<Row>& rows) {
  Row row;
  row.values = {std::string(name), readable ? std::move(value) : Value()};
  if (!readable)
    row.errors.push_back(
        {columns[1].name, base::Code::unreadable, std::string(paging::name(reader.fault()))});
  rows.push_back(std::move(row));
}

// Adds up a per-CPU counter over some CPUs; false where one can't be read.
template <class Counter, class Reader>
bool sum_over(Reader& reader, std::span<const PerCpu::Cpu> cpus, base::GuestVirtual variable,
              std::int64_t& sum) {
  for (const PerCpu::Cpu& cpu : cpus) {
    Counter part = 0;
    if (!reader.load(variable + cpu.offset, part)) return false;
    sum += static_cast<std::int64_t>(part);
  }
  return true;
}

}  // namespace vitrine::views
