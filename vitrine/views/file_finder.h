// Finds a file of the guest by the path that leads to it from a process's root directory, or by a
// descriptor that a process has open.
//
// Thread contract: one thread at a time. Cost: that of the process list, and of the walk along the
// path (path_walk.h).
#pragma once

#include <algorithm>
#include <memory>
#include <string>

#include "vitrine/views/path_walk.h"
#include "vitrine/views/processes.h"
#include "vitrine/views/reader.h"

namespace vitrine::views {

class FileFinder {
 public:
  // Errors: the member or symbol that is missing; as PageCache::attach.
  static base::Result<FileFinder> attach(const kernel::Kernel& kernel,
                                         memory::PhysicalMemory& memory);

  // To be called when a collection begins: reads the list of processes.
  void begin(Reader& reader) {
    walk_.forget();
    processes_->collect(reader);
  }

  // By an absolute path as the process sees it. Errors: as PathWalk::find; `absent` where there is
  // no such process.
  base::Result<PathWalk::Found> by_path(Reader& reader, std::int64_t pid, std::string_view path);

  // The file behind a descriptor of a process, whatever became of its name. Errors: `absent` where
  // there is no such process or descriptor; `unreadable`.
  base::Result<PathWalk::Found> by_descriptor(Reader& reader, std::int64_t pid, unsigned number);

  PathWalk& walk() { return walk_; }

 private:
  FileFinder(std::unique_ptr<View> processes, PathWalk walk)
      : processes_(std::move(processes)), walk_(std::move(walk)) {}

  void resolve(Resolver& at);
  base::Result<base::GuestVirtual> task(std::int64_t pid) const;
  static base::Error gave_up(std::int64_t pid, const char* what);

  static base::Error unreadable(const Reader& reader, const char* what) {
    return {base::Code::unreadable,
            what + (": " + std::string(paging::name(reader.fault()))),
            {},
            reader.fault_address().value};
  }

  std::unique_ptr<View> processes_;
  PathWalk walk_;
  std::uint32_t fs_ = 0, files_ = 0;               // of task_struct
  std::uint32_t root_ = 0;                         // of fs_struct
  std::uint32_t table_ = 0, max_ = 0, array_ = 0;  // of files_struct and fdtable
  std::uint32_t path_ = 0, inode_ = 0;             // of struct file
  std::uint32_t mount_in_path_ = 0, entry_in_path_ = 0;
};

}  // namespace vitrine::views
