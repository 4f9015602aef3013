#include "vitrine/views/files.h"

#include <fmt/format.h>

#include <algorithm>

#include "vitrine/paging/walked_memory.h"
#include "vitrine/views/inodes.h"
#include "vitrine/views/text.h"

namespace vitrine::views {
namespace {

using base::GuestVirtual;

constexpr std::size_t kMaxFiles = 4U << 20;
constexpr std::uint32_t kCloseOnExec = 02000000;  // O_CLOEXEC

bool has_size(std::uint16_t mode) {
  return mode >> 12 == 010 || mode >> 12 == 004 || mode >> 12 == 012;
}

}  // namespace

constinit const std::array<Column, Files::kColumns> Files::kColumnDeclarations{{
    {"pid", Type::integer, "id of the process"},
    {"comm", Type::text, "name of the process, at most 15 bytes"},
    {"use", Type::text,
     "fd, an open file; cwd, the current directory; root, the root directory; exe, the program"},
    {"fd", Type::integer, "number of the descriptor; null for other uses"},
    {"access", Type::text, "r, w or rw; null for other uses than fd"},
    {"type", Type::text, "file, dir, char, block, fifo, socket, link, or other"},
    {"device", Type::text,
     "major and minor number of the file system that it is on; of a device file, its own"},
    {"size_bytes", Type::bytes, "size in bytes; null for what has none"},
    {"offset", Type::integer, "position in the file, in bytes; null for other uses than fd", true},
    {"flags", Type::text, "as open(2) takes them, octal, as /proc/PID/fdinfo shows them"},
    {"inode", Type::integer, "number of the inode"},
    {"links", Type::integer, "names that it has"},
    {"deleted", Type::boolean, "whether the name was removed"},
    {"path", Type::text,
     "its path across mounts; or pipe:[INODE], socket:[INODE], anon_inode:NAME, NAMESPACE:[INODE]"},
}};

std::span<const Column> Files::declared_columns() { return kColumnDeclarations; }

Files::Fields Files::resolve(Resolver& at, const kernel::TypeLookup& types) {
  Fields fields;
  fields.fs = at("task_struct", "fs");
  fields.exe = at("mm_struct", "exe_file");
  fields.root = at("fs_struct", "root");
  fields.directory = at("fs_struct", "pwd");
  fields.files = at("task_struct", "files");
  fields.files_lock = at("files_struct", "file_lock");
  // A lock with a sequence count beside it, then both in one, a seqlock_t.
  if (types.has_member("fs_struct", "lock")) {
    fields.fs_lock = at("fs_struct", "lock");
  } else {
    fields.fs_lock = at("fs_struct", "seq");
    fields.fs_lock_kind = LockKind::seqlock;
  }
  fields.flags = at("file", "f_flags");
  fields.position = at("file", "f_pos");
  return fields;
}

base::Result<std::unique_ptr<View>> Files::attach(const kernel::Kernel& kernel,
                                                  memory::PhysicalMemory& memory,
                                                  const FileOptions& options) {
  auto processes = Processes::attach(kernel, memory, {.threads = false, .command_lines = false});
  if (!processes) return processes;
  Resolver at(kernel.types);
  const Fields fields = resolve(at, kernel.types);
  FileDecoder decoder = FileDecoder::attach(at, kernel.types);
  const Descriptors descriptors = Descriptors::attach(at);
  if (at.error()) return base::fail(*at.error());
  return std::unique_ptr<View>(
      new Files(std::move(*processes), std::move(decoder), descriptors, fields, options));
}

// Besides those of processes: names in directories, and what is mounted where.
std::span<const GlobalGuard> Files::global_guards() const {
  static constexpr std::array<GlobalGuard, 4> kGuards{{
      {LockKind::rwlock, "tasklist_lock"},
      {LockKind::spinlock, "pidmap_lock", true},
      {LockKind::seqlock, "rename_lock"},
      {LockKind::seqlock, "mount_lock"},
  }};
  return kGuards;
}

void Files::add_object_guards(std::vector<ObjectGuard>& guards) const {
  processes_->add_object_guards(guards);
  guards.insert(guards.end(), guards_.begin(), guards_.end());
}

Outcome Files::collect(Reader& reader) {
  Outcome outcome = processes_->collect(reader);
  return collect_rows(reader, std::move(outcome));
}

Outcome Files::collect_rows(Reader& reader, Outcome outcome) {
  files_.clear();
  guards_.clear();
  decoder_.forget();
  descriptors_.renew();
  bool found = false;
  for (std::size_t i = 0; i < processes().processes().size(); ++i) {
    const Process& process = processes().processes()[i];
    if (options_.pid && process.pid != *options_.pid) continue;
    found = true;
    if (files_.size() >= kMaxFiles || decoder_.spent() || descriptors_.spent()) {
      outcome.complete = false;
      outcome.warnings.push_back(
          "the processes claim more open files than a guest can have: only " +
          std::to_string(files_.size()) + " are shown");
      break;
    }
    if (collect_process(reader, i)) continue;
    outcome.complete = false;
    if (outcome.warnings.size() < kMaxWarnings)
      outcome.warnings.push_back(
          fmt::format("the open files of process {} could not all be read", process.pid));
  }
  if (!found && options_.pid)
    outcome.warnings.push_back("the guest has no process " + std::to_string(*options_.pid));
  return outcome;
}

// False where something is missing.
bool Files::collect_process(Reader& reader, std::size_t index) {
  const Process& process = processes().processes()[index];
  GuestVirtual files;
  GuestVirtual fs;
  GuestVirtual program;
  if (!reader.load(process.task + fields_.files, files.value) ||
      !reader.load(process.task + fields_.fs, fs.value))
    return false;
  if (files.value != 0)
    guards_.push_back(
        {LockKind::spinlock, "files.file_lock", files + fields_.files_lock, process.pid});
  if (fs.value != 0) {
    guards_.push_back({fields_.fs_lock_kind, "fs.lock", fs + fields_.fs_lock, process.pid});
    collect_directories(reader, index, fs);
  }
  if (process.mm.value != 0) {
    if (!reader.load(process.mm + fields_.exe, program.value)) return false;
    if (program.value != 0) add_open_file(reader, program, {.process = index, .use = Use::program});
  }
  return collect_descriptors(reader, index);
}

void Files::collect_directories(Reader& reader, std::size_t index, GuestVirtual fs) {
  for (const auto& [offset, use] :
       {std::pair{fields_.directory, Use::directory}, {fields_.root, Use::root}}) {
    File file{.process = index, .use = use};
    decoder_.read_place(reader, fs + offset, file.details);
    files_.push_back(std::move(file));
  }
}

bool Files::collect_descriptors(Reader& reader, std::size_t index) {
  return descriptors_.each(reader, processes().processes()[index].task,
                           [&](const Descriptor& descriptor) {
                             if (files_.size() >= kMaxFiles || decoder_.spent()) return false;
                             File file{.process = index, .number = descriptor.number};
                             file.close_on_exec = descriptor.close_on_exec;
                             add_open_file(reader, descriptor.file, std::move(file));
                             return true;
                           });
}

void Files::add_open_file(Reader& reader, GuestVirtual at, File file) {
  if (!reader.load(at + fields_.flags, file.flags) ||
      !reader.load_statistic(at + fields_.position, file.position)) {
    file.details.unreadable = true;
    file.details.fault = reader.fault();
  } else {
    decoder_.read_file(reader, at, file.details);
  }
  files_.push_back(std::move(file));
}

Row Files::row(std::size_t index) const {
  constexpr std::array<std::string_view, 4> kUses{"fd", "cwd", "root", "exe"};
  constexpr std::array<std::string_view, 4> kModes{"r", "w", "rw", "-"};
  const File& file = files_[index];
  const Process& process = processes().processes()[file.process];
  Row row;
  row.values.resize(kColumns);
  row.values[kPid] = std::int64_t{process.pid};
  row.values[kComm] = std::string(name_of(process));
  row.values[kUse] = std::string(kUses.at(static_cast<std::size_t>(file.use)));
  if (file.use == Use::descriptor) row.values[kFd] = std::uint64_t{file.number};
  const auto failed = [&](ColumnIndex column, std::string why, base::Code code) {
    row.errors.push_back({kColumnDeclarations[column].name, code, std::move(why)});
  };
  const FileDetails& details = file.details;
  if (details.unreadable) {
    failed(kPath, std::string(paging::name(details.fault)), base::Code::unreadable);
    return row;
  }
  if (file.use == Use::descriptor) {
    row.values[kAccess] = std::string(kModes.at(file.flags & 3));
    row.values[kOffset] = file.position;
    row.values[kFlags] =
        fmt::format("0{:o}", file.flags | (file.close_on_exec ? kCloseOnExec : 0U));
  }
  row.values[kType] = std::string(type_name(details.mode));
  row.values[kDevice] = device_name(details.is_device() ? details.own_device : details.device);
  if (has_size(details.mode)) row.values[kSize] = static_cast<std::uint64_t>(details.size);
  row.values[kInode] = details.inode;
  row.values[kLinks] = std::uint64_t{details.links};
  row.values[kDeleted] = details.deleted;
  switch (details.end) {
    case PathEnd::whole:
      row.values[kPath] = details.path;
      break;
    case PathEnd::unreadable:
      failed(kPath, std::string(paging::name(details.fault)), base::Code::unreadable);
      break;
    case PathEnd::astray:
      failed(kPath, "the path does not come to an end", base::Code::inconsistent);
      break;
  }
  return row;
}

}  // namespace vitrine::views
