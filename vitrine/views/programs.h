// The programs that processes run, named after /proc/PID/exe: one row per process that runs one.
//
// Thread contract: one thread at a time per object.
// Cost: that of the process list, and of a file (file_details.h) for each process.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "vitrine/views/file_details.h"
#include "vitrine/views/processes.h"
#include "vitrine/views/reader.h"

namespace vitrine::views {

class Programs final : public View {
 public:
  // `pid`: of a process; nothing: all. Errors: the member or symbol that is missing.
  static base::Result<std::unique_ptr<View>> attach(const kernel::Kernel& kernel,
                                                    memory::PhysicalMemory& memory,
                                                    std::optional<std::int64_t> pid);

  static std::span<const Column> declared_columns();

  std::string_view name() const override { return "programs"; }
  std::span<const Column> columns() const override { return declared_columns(); }
  Outcome collect(Reader& reader) override;
  std::size_t size() const override { return programs_.size(); }
  Row row(std::size_t index) const override;

 private:
  enum ColumnIndex : unsigned { kPid, kComm, kDevice, kInode, kDeleted, kPath, kColumns };
  static const std::array<Column, kColumns> kColumnDeclarations;

  struct Program {
    std::size_t process = 0;  // its place in the process list
    FileDetails file;
  };

  Programs(std::unique_ptr<View> processes, FileDecoder decoder, std::uint32_t file,
           std::optional<std::int64_t> pid)
      : processes_(std::move(processes)), decoder_(std::move(decoder)), file_(file), pid_(pid) {}

  const Processes& processes() const { return static_cast<const Processes&>(*processes_); }

  Outcome collect_rows(Reader& reader, Outcome outcome);

  std::unique_ptr<View> processes_;
  FileDecoder decoder_;
  std::uint32_t file_;  // offset of mm_struct.exe_file
  std::optional<std::int64_t> pid_;
  std::vector<Program> programs_;
};

}  // namespace vitrine::views
