#include "vitrine/views/programs.h"

#include <array>

#include "vitrine/views/wanted_process.h"

namespace vitrine::views {
constinit const std::array<Column, Programs::kColumns> Programs::kColumnDeclarations{{
    {"pid", Type::integer, "id of the process"},
    {"comm", Type::text, "name of the process, at most 15 bytes"},
    {"device", Type::text, "major and minor number of the file system that the program is on"},
    {"inode", Type::integer, "number of the inode"},
    {"deleted", Type::boolean, "whether the program's name was removed: it was replaced, perhaps"},
    {"path", Type::text, "the program's path across mounts"},
}};

std::span<const Column> Programs::declared_columns() { return kColumnDeclarations; }

base::Result<std::unique_ptr<View>> Programs::attach(const kernel::Kernel& kernel,
                                                     memory::PhysicalMemory& memory,
                                                     std::optional<std::int64_t> pid) {
  auto processes = Processes::attach(kernel, memory, {.threads = false, .command_lines = false});
  if (!processes) return processes;
  Resolver at(kernel.types);
  FileDecoder decoder = FileDecoder::attach(at, kernel.types);
  const std::uint32_t file = at("mm_struct", "exe_file");
  if (at.error()) return base::fail(*at.error());
  return std::unique_ptr<View>(new Programs(std::move(*processes), std::move(decoder), file, pid));
}

Outcome Programs::collect(Reader& reader) {
  Outcome outcome = processes_->collect(reader);
  return collect_rows(reader, std::move(outcome));
}

Outcome Programs::collect_rows(Reader& reader, Outcome outcome) {
  programs_.clear();
  decoder_.forget();
  WantedProcess wanted(pid_);
  for (std::size_t i = 0; i < processes().processes().size(); ++i) {
    const Process& process = processes().processes()[i];
    if (!wanted.is(process) || process.mm.value == 0) continue;
    if (decoder_.spent()) {
      outcome.complete = false;
      outcome.warnings.emplace_back("the paths of the programs are longer than a guest's can be");
      break;
    }
    base::GuestVirtual file;
    Program program{.process = i, .file = {}};
    if (!reader.load(process.mm + file_, file.value)) {
      program.file.unreadable = true;
      program.file.fault = reader.fault();
    } else if (file.value == 0) {
      continue;  // memory of a program that the kernel has begun to start
    } else {
      decoder_.read_file(reader, file, program.file);
    }
    programs_.push_back(std::move(program));
  }
  wanted.explain(!programs_.empty(), outcome);
  return outcome;
}

Row Programs::row(std::size_t index) const {
  const auto& [process_index, file] = programs_[index];
  const Process& process = processes().processes()[process_index];
  Row row;
  row.values.resize(kColumns);
  row.values[kPid] = std::int64_t{process.pid};
  row.values[kComm] = std::string(name_of(process));
  if (!file.unreadable) {
    row.values[kDevice] = device_name(file.device);
    row.values[kInode] = file.inode;
    row.values[kDeleted] = file.deleted;
  }
  if (!file.unreadable && file.end == PathEnd::whole)
    row.values[kPath] = file.path;
  else if (!file.unreadable && file.end == PathEnd::astray)
    row.errors.push_back({kColumnDeclarations[kPath].name, base::Code::inconsistent,
                          "the path does not come to an end"});
  else
    row.errors.push_back({kColumnDeclarations[kPath].name, base::Code::unreadable,
                          std::string(paging::name(file.fault))});
  return row;
}

}  // namespace vitrine::views
