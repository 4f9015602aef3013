// Rows whose strings and numbers are a fuzzer's, as a hostile guest's would be.
#pragma once

#include <fuzzer/FuzzedDataProvider.h>

#include <array>
#include <string>
#include <vector>

#include "vitrine/views/value.h"

namespace vitrine::fuzz {

inline constexpr std::array<views::Column, 7> kColumns{{{"pid", views::Type::integer},
                                                        {"ppid", views::Type::integer},
                                                        {"tgid", views::Type::integer},
                                                        {"comm", views::Type::text},
                                                        {"rss_bytes", views::Type::bytes},
                                                        {"exiting", views::Type::boolean},
                                                        {"start_ns", views::Type::nanoseconds}}};

inline views::Value any_value(FuzzedDataProvider& input, views::Type type) {
  if (input.ConsumeIntegralInRange(0, 7) == 0) return {};
  switch (type) {
    case views::Type::boolean:
      return input.ConsumeBool();
    case views::Type::text:
      return input.ConsumeRandomLengthString(40);
    case views::Type::integer:
      return static_cast<std::int64_t>(input.ConsumeIntegral<std::int8_t>());
    default:
      return input.ConsumeIntegral<std::uint64_t>();
  }
}

inline std::vector<views::Row> any_rows(FuzzedDataProvider& input, std::size_t most) {
  std::vector<views::Row> rows;
  while (rows.size() < most && input.remaining_bytes() > 0) {
    views::Row row;
    for (const views::Column& column : kColumns)
      row.values.push_back(any_value(input, column.type));
    if (input.ConsumeIntegralInRange(0, 7) == 0) {
      const auto& column = input.PickValueInArray(kColumns);
      row.errors.push_back(
          {column.name, base::Code::unreadable, input.ConsumeRandomLengthString(20)});
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace vitrine::fuzz
