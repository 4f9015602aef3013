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

namespace vitrine::views {

class FileFinder {
 public:
  // Errors: the member or symbol that is missing; as PageCache::attach.
  static base::Result<FileFinder> attach(const kernel::Kernel& kernel,
                                         memory::PhysicalMemory& memory);

  // To be called when a collection begins: reads the list of processes.
  void begin(const AnyReader& reader) {
    walk_.forget();
    processes_->collect(reader);
  }

  // By an absolute path as the process sees it. Errors: as PathWalk::find; `absent` where there is
  // no such process.
  template <class Reader>
  base::Result<PathWalk::Found> by_path(Reader& reader, std::int64_t pid, std::string_view path);

  // The file behind a descriptor of a process, whatever became of its name. Errors: `absent` where
  // there is no such process or descriptor; `unreadable`.
  template <class Reader>
  base::Result<PathWalk::Found> by_descriptor(Reader& reader, std::int64_t pid, unsigned number);

  PathWalk& walk() { return walk_; }

 private:
  FileFinder(std::unique_ptr<View> processes, PathWalk walk)
      : processes_(std::move(processes)), walk_(std::move(walk)) {}

  void resolve(Resolver& at);
  base::Result<base::GuestVirtual> task(std::int64_t pid) const;
  static base::Error gave_up(std::int64_t pid, const char* what);

  template <class Reader>
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

template <class Reader>
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

template <class Reader>
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
