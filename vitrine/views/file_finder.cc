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

}  // namespace vitrine::views
