#include "vitrine/views/file_finder.h"

namespace vitrine::views {

base::Result<FileFinder> FileFinder::attach(const kernel::Kernel& kernel,
                                            memory::PhysicalMemory& memory) {
  auto processes = Processes::attach(kernel, memory, {.threads = false, .command_lines = false});
  if (!processes) return base::fail(processes.error());
  auto walk = PathWalk::attach(kernel, memory);
  if (!walk) return base::fail(walk.error());
  FileFinder finder(std::move(*processes), std::move(*walk));
  Resolver at(kernel.types);
  finder.resolve(at);
  if (at.error()) return base::fail(*at.error());
  return finder;
}

void FileFinder::resolve(Resolver& at) {
  fs_ = at("task_struct", "fs");
  files_ = at("task_struct", "files");
  root_ = at("fs_struct", "root");
  table_ = at("files_struct", "fdt");
  max_ = at("fdtable", "max_fds");
  array_ = at("fdtable", "fd");
  path_ = at("file", {"f_path", "__f_path"});
  inode_ = at("file", "f_inode");
  mount_in_path_ = at("path", "mnt");
  entry_in_path_ = at("path", "dentry");
}

base::Result<base::GuestVirtual> FileFinder::task(std::int64_t pid) const {
  const auto processes = static_cast<const Processes&>(*processes_).processes();
  const auto found = std::ranges::find(
      processes, pid, [](const Process& process) { return std::int64_t{process.pid}; });
  if (found != processes.end()) return found->task;
  return base::fail(base::Code::absent, "the guest has no process " + std::to_string(pid),
                    "vitrine ps lists them");
}

base::Error FileFinder::gave_up(std::int64_t pid, const char* what) {
  return {base::Code::absent,
          "process " + std::to_string(pid) + " is about to end and has given up its " + what,
          "look from another process: --pid"};
}

base::Result<PathWalk::Found> FileFinder::by_path(Reader& reader, std::int64_t pid,
                                                  std::string_view path) {
  const auto process = task(pid);
  if (!process) return base::fail(process.error());
  base::GuestVirtual fs;
  FilePlace root;
  constexpr const char* kWhat = "the process's root directory can't be read";
  if (!reader.load(*process + fs_, fs.value)) return base::fail(unreadable(reader, kWhat));
  if (fs.value == 0) return base::fail(gave_up(pid, "directories"));
  if (!reader.load(fs + root_ + mount_in_path_, root.mount.value) ||
      !reader.load(fs + root_ + entry_in_path_, root.entry.value))
    return base::fail(unreadable(reader, kWhat));
  return walk_.find(reader, root, path);
}

base::Result<PathWalk::Found> FileFinder::by_descriptor(Reader& reader, std::int64_t pid,
                                                        unsigned number) {
  const auto process = task(pid);
  if (!process) return base::fail(process.error());
  base::GuestVirtual files;
  base::GuestVirtual table;
  base::GuestVirtual array;
  base::GuestVirtual file;
  base::GuestVirtual inode;
  std::uint32_t max = 0;
  PathWalk::Found found;
  constexpr const char* kWhat = "the process's table of open files can't be read";
  if (!reader.load(*process + files_, files.value)) return base::fail(unreadable(reader, kWhat));
  if (files.value == 0) return base::fail(gave_up(pid, "open files"));
  if (!reader.load(files + table_, table.value) || !reader.load(table + max_, max) ||
      !reader.load(table + array_, array.value) ||
      (number < max && !reader.load(array + number * 8ULL, file.value)))
    return base::fail(unreadable(reader, kWhat));
  if (file.value == 0)
    return base::fail(
        base::Code::absent,
        "process " + std::to_string(pid) + " has no descriptor " + std::to_string(number) + " open",
        "vitrine lsof lists them");
  if (!reader.load(file + inode_, inode.value) ||
      !reader.load(file + path_ + mount_in_path_, found.place.mount.value) ||
      !reader.load(file + path_ + entry_in_path_, found.place.entry.value) ||
      !walk_.inodes().read(reader, inode, found.inode))
    return base::fail(unreadable(reader, "the open file can't be read"));
  return found;
}

}  // namespace vitrine::views
