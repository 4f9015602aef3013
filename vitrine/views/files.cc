#include "vitrine/views/files.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "vitrine/paging/walked_memory.h"
#include "vitrine/views/text.h"

namespace vitrine::views {
namespace {

using base::GuestVirtual;

constexpr std::uint32_t kMaxDescriptors = 1U << 20;  // of a process: sysctl_nr_open's default
constexpr std::size_t kMaxFiles = 4U << 20;
constexpr std::size_t kMaxWarnings = 10;
constexpr std::size_t kMaxName = 32;              // of a kind of file system or namespace, bytes
constexpr std::uint32_t kCloseOnExec = 02000000;  // O_CLOEXEC

enum ColumnIndex : unsigned {
  kPid,
  kComm,
  kUse,
  kFd,
  kAccess,
  kType,
  kDevice,
  kSize,
  kOffset,
  kFlags,
  kInode,
  kLinks,
  kDeleted,
  kPath,
  kColumns
};

constexpr std::array<Column, kColumns> kColumnDeclarations{{
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

// Besides those of processes: names in directories, and what is mounted where.
constexpr std::array<GlobalGuard, 4> kGuards{{
    {LockKind::rwlock, "tasklist_lock"},
    {LockKind::spinlock, "pidmap_lock", true},
    {LockKind::seqlock, "rename_lock"},
    {LockKind::seqlock, "mount_lock"},
}};

std::string_view type_name(std::uint16_t mode) {
  switch (mode >> 12) {
    case 010:
      return "file";
    case 004:
      return "dir";
    case 002:
      return "char";
    case 006:
      return "block";
    case 001:
      return "fifo";
    case 014:
      return "socket";
    case 012:
      return "link";
    default:
      return "other";
  }
}

bool is_device(std::uint16_t mode) { return mode >> 12 == 002 || mode >> 12 == 006; }
bool has_size(std::uint16_t mode) {
  return mode >> 12 == 010 || mode >> 12 == 004 || mode >> 12 == 012;
}

}  // namespace

std::span<const Column> Files::declared_columns() { return kColumnDeclarations; }

Files::Fields Files::resolve(Resolver& at, const kernel::TypeLookup& types) {
  Fields fields;
  fields.files = at("task_struct", "files");
  fields.fs = at("task_struct", "fs");
  fields.exe = at("mm_struct", "exe_file");
  fields.table = at("files_struct", "fdt");
  fields.max = at("fdtable", "max_fds");
  fields.array = at("fdtable", "fd");
  fields.open = at("fdtable", "open_fds");
  fields.close_on_exec = at("fdtable", "close_on_exec");
  fields.root = at("fs_struct", "root");
  fields.directory = at("fs_struct", "pwd");
  fields.files_lock = at("files_struct", "file_lock");
  // A lock with a sequence count beside it, then both in one, a seqlock_t.
  if (types.has_member("fs_struct", "lock")) {
    fields.fs_lock = at("fs_struct", "lock");
  } else {
    fields.fs_lock = at("fs_struct", "seq");
    fields.fs_lock_kind = LockKind::seqlock;
  }
  fields.mount_in_path = at("path", "mnt");
  fields.entry_in_path = at("path", "dentry");
  fields.path = at("file", {"f_path", "__f_path"});
  fields.inode = at("file", "f_inode");
  fields.flags = at("file", "f_flags");
  fields.position = at("file", "f_pos");
  fields.entry_inode = at("dentry", "d_inode");
  fields.mode = at("inode", "i_mode");
  fields.number = at("inode", "i_ino");
  fields.size = at("inode", "i_size");
  fields.links = at("inode", "i_nlink");
  fields.super = at("inode", "i_sb");
  fields.device = at("inode", "i_rdev");
  fields.private_data = at("inode", "i_private");
  fields.super_device = at("super_block", "s_dev");
  fields.super_type = at("super_block", "s_type");
  fields.type_name = at("file_system_type", "name");
  fields.names_namespaces = types.has_member("ns_common", "ops");
  if (fields.names_namespaces) {
    fields.namespace_operations = at("ns_common", "ops");
    fields.namespace_name = at("proc_ns_operations", "name");
  }
  return fields;
}

base::Result<std::unique_ptr<View>> Files::attach(const kernel::Kernel& kernel,
                                                  memory::PhysicalMemory& memory,
                                                  const FileOptions& options) {
  auto processes = Processes::attach(kernel, memory, {.threads = false, .command_lines = false});
  if (!processes) return processes;
  Resolver at(kernel.types);
  const Fields fields = resolve(at, kernel.types);
  Paths paths = Paths::attach(at);
  if (at.error()) return base::fail(*at.error());
  return std::unique_ptr<View>(new Files(std::move(*processes), std::move(paths), fields, options));
}

std::span<const GlobalGuard> Files::global_guards() const { return kGuards; }

void Files::add_object_guards(std::vector<ObjectGuard>& guards) const {
  processes_->add_object_guards(guards);
  guards.insert(guards.end(), guards_.begin(), guards_.end());
}

Outcome Files::collect(const AnyReader& reader) {
  Outcome outcome = processes_->collect(reader);
  return std::visit(
      [this, &outcome](auto* chosen) { return collect_with(*chosen, std::move(outcome)); }, reader);
}

template <class Reader>
Outcome Files::collect_with(Reader& reader, Outcome outcome) {
  files_.clear();
  guards_.clear();
  paths_.forget();
  words_.renew();
  bool found = false;
  for (std::size_t i = 0; i < processes().processes().size(); ++i) {
    const Process& process = processes().processes()[i];
    if (options_.pid && process.pid != *options_.pid) continue;
    found = true;
    if (files_.size() >= kMaxFiles || paths_.spent() || words_.spent()) {
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
template <class Reader>
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
  return files.value == 0 || collect_descriptors(reader, index, files);
}

template <class Reader>
void Files::collect_directories(Reader& reader, std::size_t index, GuestVirtual fs) {
  add_place(reader, fs + fields_.directory, {}, {.process = index, .use = Use::directory});
  add_place(reader, fs + fields_.root, {}, {.process = index, .use = Use::root});
}

// The bitmap of open descriptors first: the table itself is mostly empty.
template <class Reader>
bool Files::collect_descriptors(Reader& reader, std::size_t index, GuestVirtual files) {
  GuestVirtual table;
  GuestVirtual array;
  GuestVirtual open;
  GuestVirtual closing;
  std::uint32_t max = 0;
  if (!reader.load(files + fields_.table, table.value) || !reader.load(table + fields_.max, max) ||
      !reader.load(table + fields_.array, array.value) ||
      !reader.load(table + fields_.open, open.value) ||
      !reader.load(table + fields_.close_on_exec, closing.value))
    return false;
  bool whole = max <= kMaxDescriptors;
  for (std::uint32_t word = 0; word < std::min(max, kMaxDescriptors) / 64; ++word) {
    std::uint64_t bits = 0;
    std::uint64_t closing_bits = 0;
    if (!words_.spend(1)) return false;
    if (!reader.load(open + word * 8ULL, bits)) return false;
    if (bits != 0 && !reader.load(closing + word * 8ULL, closing_bits)) return false;
    for (; bits != 0; bits &= bits - 1) {
      if (files_.size() >= kMaxFiles || paths_.spent()) return false;
      const auto bit = static_cast<std::uint32_t>(std::countr_zero(bits));
      File file{.process = index, .number = word * 64 + bit};
      file.close_on_exec = (closing_bits >> bit & 1) != 0;
      GuestVirtual at;
      if (!reader.load(array + file.number * 8ULL, at.value)) {
        whole = false;
        continue;
      }
      // A descriptor that is reserved for a file that is just being opened.
      if (at.value != 0) add_open_file(reader, at, std::move(file));
    }
  }
  return whole;
}

template <class Reader>
void Files::add_open_file(Reader& reader, GuestVirtual at, File file) {
  GuestVirtual inode;
  if (!reader.load(at + fields_.flags, file.flags) ||
      !reader.load_statistic(at + fields_.position, file.position) ||
      !reader.load(at + fields_.inode, inode.value)) {
    file.unreadable = true;
    file.fault = reader.fault();
    file.end = PathEnd::unreadable;
    files_.push_back(std::move(file));
    return;
  }
  add_place(reader, at + fields_.path, inode, std::move(file));
}

// `inode`: 0 where it is the one of the place.
template <class Reader>
void Files::add_place(Reader& reader, GuestVirtual path, GuestVirtual inode, File file) {
  FilePlace place;
  if (!reader.load(path + fields_.mount_in_path, place.mount.value) ||
      !reader.load(path + fields_.entry_in_path, place.entry.value) ||
      (inode.value == 0 && !reader.load(place.entry + fields_.entry_inode, inode.value)) ||
      !read_inode(reader, inode, file)) {
    file.unreadable = true;
    file.fault = reader.fault();
    file.end = PathEnd::unreadable;
  } else {
    read_path(reader, place, inode, file);
  }
  files_.push_back(std::move(file));
}

template <class Reader>
bool Files::read_inode(Reader& reader, GuestVirtual at, File& file) const {
  GuestVirtual super;
  return reader.load(at + fields_.mode, file.mode) &&
         reader.load(at + fields_.number, file.inode) &&
         reader.load(at + fields_.size, file.size) && reader.load(at + fields_.links, file.links) &&
         reader.load(at + fields_.device, file.own_device) &&
         reader.load(at + fields_.super, super.value) &&
         reader.load(super + fields_.super_device, file.device);
}

template <class Reader>
void Files::read_path(Reader& reader, const FilePlace& place, GuestVirtual inode, File& file) {
  bool pseudo = false;
  bool removed = false;
  if (!read_pseudo_path(reader, place, inode, file, pseudo)) {
    file.end = PathEnd::unreadable;
  } else if (!pseudo) {
    file.end = paths_.path(reader, place, file.path);
    if (file.end == PathEnd::whole && !paths_.deleted(reader, place.entry, removed))
      file.end = PathEnd::unreadable;
    // What never had a name, such as a file of memfd_create(2), counts as deleted, too.
    file.deleted = removed || (file.links == 0 && type_name(file.mode) == "file");
  }
  if (file.end == PathEnd::unreadable) file.fault = reader.fault();
}

// What is in no directory is named after its file system, as their d_dname() do. False where that
// can't be read.
template <class Reader>
bool Files::read_pseudo_path(Reader& reader, const FilePlace& place, GuestVirtual inode, File& file,
                             bool& is) {
  GuestVirtual super;
  GuestVirtual type;
  GuestVirtual name;
  std::string fs;
  if (!reader.load(inode + fields_.super, super.value) ||
      !reader.load(super + fields_.super_type, type.value) ||
      !reader.load(type + fields_.type_name, name.value) || !load_text(reader, name, kMaxName, fs))
    return false;
  is = true;
  if (fs == "sockfs" || fs == "pipefs") {
    file.path = fmt::format("{}:[{}]", fs == "sockfs" ? "socket" : "pipe", file.inode);
    return true;
  }
  if (fs == "anon_inodefs") {
    if (!paths_.name(reader, place.entry, file.path)) return false;
    file.path.insert(0, "anon_inode:");
    return true;
  }
  // Nameless since 6.9.
  if (fs == "pidfs") {
    file.path = "anon_inode:[pidfd]";
    return true;
  }
  is = fs == "nsfs" && fields_.names_namespaces;
  if (!is) return true;
  GuestVirtual common;
  GuestVirtual operations;
  GuestVirtual kind;
  if (!reader.load(inode + fields_.private_data, common.value) ||
      !reader.load(common + fields_.namespace_operations, operations.value) ||
      !reader.load(operations + fields_.namespace_name, kind.value))
    return false;
  if (!load_text(reader, kind, kMaxName, file.path)) return false;
  file.path += fmt::format(":[{}]", file.inode);
  return true;
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
  if (file.unreadable) {
    failed(kPath, std::string(paging::name(file.fault)), base::Code::unreadable);
    return row;
  }
  if (file.use == Use::descriptor) {
    row.values[kAccess] = std::string(kModes.at(file.flags & 3));
    row.values[kOffset] = file.position;
    row.values[kFlags] =
        fmt::format("0{:o}", file.flags | (file.close_on_exec ? kCloseOnExec : 0U));
  }
  row.values[kType] = std::string(type_name(file.mode));
  row.values[kDevice] = device_name(is_device(file.mode) ? file.own_device : file.device);
  if (has_size(file.mode)) row.values[kSize] = static_cast<std::uint64_t>(file.size);
  row.values[kInode] = file.inode;
  row.values[kLinks] = std::uint64_t{file.links};
  row.values[kDeleted] = file.deleted;
  switch (file.end) {
    case PathEnd::whole:
      row.values[kPath] = file.path;
      break;
    case PathEnd::unreadable:
      failed(kPath, std::string(paging::name(file.fault)), base::Code::unreadable);
      break;
    case PathEnd::astray:
      failed(kPath, "the path does not come to an end", base::Code::inconsistent);
      break;
  }
  return row;
}

}  // namespace vitrine::views
