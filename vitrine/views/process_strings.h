// The strings that processes were started with: arguments, named after /proc/PID/cmdline, and
// environment, named after /proc/PID/environ; one row per string.
//
// Both are in the process's own memory, from which pages may be missing: a row says so where that
// is, and why.
//
// Thread contract: one thread at a time per object.
// Cost: that of the process list, and that of user_strings.h for each process.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "vitrine/views/processes.h"
#include "vitrine/views/reader.h"
#include "vitrine/views/user_strings.h"

namespace vitrine::views {

class ProcessStrings final : public View {
 public:
  enum class Kind : std::uint8_t { arguments, environment };

  // `pid`: of a process; nothing: all. Errors: the member or symbol that is missing.
  static base::Result<std::unique_ptr<View>> attach(const kernel::Kernel& kernel,
                                                    memory::PhysicalMemory& memory, Kind kind,
                                                    std::optional<std::int64_t> pid);

  static std::span<const Column> declared_columns(Kind kind);

  std::string_view name() const override {
    return kind_ == Kind::arguments ? "arguments" : "environment";
  }
  std::span<const Column> columns() const override { return declared_columns(kind_); }
  Outcome collect(Reader& reader) override;
  std::size_t size() const override { return strings_.size(); }
  Row row(std::size_t index) const override;

 private:
  enum ColumnIndex : unsigned { kPid, kComm, kFirst, kSecond, kColumns };
  static const std::array<Column, kColumns> kArgumentColumns;
  static const std::array<Column, kColumns> kEnvironmentColumns;

  // One string, or what could not be read of them.
  struct String {
    std::size_t process = 0;             // its place in the process list
    std::optional<std::uint32_t> index;  // among the process's; nothing: some before are missing
    std::size_t offset = 0, length = 0;  // in text_
    paging::Fault fault = paging::Fault::none;
    bool implausible = false;
  };

  ProcessStrings(std::unique_ptr<View> processes, UserStrings source, Kind kind,
                 std::optional<std::int64_t> pid)
      : processes_(std::move(processes)), source_(source), kind_(kind), pid_(pid) {}

  const Processes& processes() const { return static_cast<const Processes&>(*processes_); }

  Outcome collect_rows(Reader& reader, Outcome outcome);
  void collect_process(Reader& reader, std::size_t index);
  void split(std::size_t process);

  std::unique_ptr<View> processes_;
  UserStrings source_;
  Kind kind_;
  std::optional<std::int64_t> pid_;
  UserText read_;     // of one process
  std::string text_;  // of all
  std::vector<String> strings_;
};

}  // namespace vitrine::views
