// A synthetic guest as a view sees it: its kernel located, views collected over any reader.
//
// What must not fail in a test's preparation throws std::runtime_error.
//
// Thread contract: one thread at a time.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/synthetic/guest.h"
#include "vitrine/kernel/locate.h"
#include "vitrine/views/processes.h"

namespace vitrine::synthetic {

inline kernel::Kernel locate_kernel(Guest& guest) {
  const std::array registers{guest.registers()};
  auto located = kernel::locate(guest.memory(), {.registers = registers, .hint = {}});
  if (!located) throw std::runtime_error(to_string(located.error()));
  return std::move(*located);
}

inline std::unique_ptr<views::View> attach_processes(const kernel::Kernel& kernel, Guest& guest,
                                                     const views::ProcessOptions& options = {}) {
  auto view = views::Processes::attach(kernel, guest.memory(), options);
  if (!view) throw std::runtime_error(to_string(view.error()));
  return std::move(*view);
}

enum class ReaderKind : std::uint8_t {
  windowed,
  gathering,
  recording_windowed,
  recording_gathering,
};
inline constexpr std::array every_reader{ReaderKind::windowed, ReaderKind::gathering,
                                         ReaderKind::recording_windowed,
                                         ReaderKind::recording_gathering};

// Observes with a reader of one kind, as often as a test likes.
class Observer {
 public:
  Observer(const kernel::Kernel& kernel, Memory& memory, ReaderKind kind)
      : physical_(physical(memory, kind)), reader_(kernel.space, physical_) {
    memory::FaultRecovery::install();
    if (kind == ReaderKind::recording_windowed || kind == ReaderKind::recording_gathering)
      physical_.record_into(&recording_);
  }

  views::Outcome collect(views::View& view) {
    reader_.begin();
    return view.collect(reader_);
  }

  const memory::Recording& recording() const { return recording_; }

 private:
  static memory::Reader physical(Memory& memory, ReaderKind kind) {
    if (kind == ReaderKind::windowed || kind == ReaderKind::recording_windowed)
      return memory::Reader(dynamic_cast<memory::Windows&>(memory).windows());
    return memory::Reader(memory);
  }

  memory::Recording recording_;
  memory::Reader physical_;
  views::Reader reader_;
};

// One row, by column.
struct NamedRow {
  std::map<std::string, views::Value> values;
  std::map<std::string, std::string> errors;  // messages

  std::string text(const std::string& column) const {
    const auto* found = std::get_if<std::string>(&values.at(column));
    return found == nullptr ? "(no text)" : *found;
  }
  std::uint64_t number(const std::string& column) const {
    if (const auto* number = std::get_if<std::int64_t>(&values.at(column)))
      return static_cast<std::uint64_t>(*number);
    return std::get<std::uint64_t>(values.at(column));
  }
  bool flag(const std::string& column) const { return std::get<bool>(values.at(column)); }
  bool is_null(const std::string& column) const { return values.at(column).index() == 0; }

  friend bool operator==(const NamedRow&, const NamedRow&) = default;
};

inline std::vector<NamedRow> rows_of(const views::View& view) {
  std::vector<NamedRow> rows;
  for (std::size_t index = 0; index < view.size(); ++index) {
    const views::Row row = view.row(index);
    NamedRow& named = rows.emplace_back();
    for (std::size_t column = 0; column < row.values.size(); ++column)
      named.values[std::string(view.columns()[column].name)] = row.values[column];
    for (const views::FieldError& error : row.errors)
      named.errors[std::string(error.field)] = error.message;
  }
  return rows;
}

inline std::map<std::uint64_t, NamedRow> rows_by_pid(const views::View& view) {
  std::map<std::uint64_t, NamedRow> rows;
  for (NamedRow& row : rows_of(view)) rows.emplace(row.number("pid"), std::move(row));
  return rows;
}

}  // namespace vitrine::synthetic
