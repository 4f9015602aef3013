// From a path to the file that it names, as path_lookup() in fs/namei.c does: across mounts, by way
// of symbolic links and `..`, but only by what the guest has cached.
//
// Thread contract: one thread at a time. Cost: 3 loads for each entry of each directory on the way.
#pragma once

#include <deque>
#include <string>
#include <string_view>

#include "vitrine/views/entries.h"
#include "vitrine/views/inodes.h"
#include "vitrine/views/mount_tree.h"
#include "vitrine/views/reader.h"

namespace vitrine::views {

class PathWalk {
 public:
  // Errors: as PageCache::attach.
  static base::Result<PathWalk> attach(const kernel::Kernel& kernel,
                                       memory::PhysicalMemory& memory);

  // To be called when a collection begins.
  void forget() {
    mounts_.forget();
    steps_.renew();
  }

  struct Found {
    FilePlace place;  // with what is mounted there
    Inode inode;
  };

  // The file that an absolute path names, to one whose root directory is `root`. Errors: `absent`
  // where it doesn't exist, or where that is not known because a part is not cached; `unreadable`,
  // `inconsistent`; `invalid` for what is no path.
  base::Result<Found> find(Reader& reader, const FilePlace& root, std::string_view path);

  // Whether the cache has every entry of a directory for sure: its file system has no other place
  // for them.
  bool lives_in_memory(const Inode& directory) const;

  const Entries& entries() const { return entries_; }
  const Inodes& inodes() const { return inodes_; }
  MountTree& mounts() { return mounts_; }
  // The name of an entry, and what all walks of a collection may take together.
  const Paths& names() const { return names_; }
  Budget& steps() { return steps_; }

 private:
  static constexpr int kMaxLinks = 40;                    // MAXSYMLINKS
  static constexpr std::size_t kMaxParts = 4096;          // waiting to be followed
  static constexpr std::size_t kMaxPath = 4096;           // PATH_MAX
  static constexpr std::uint64_t kMostSteps = 16U << 20;  // entries looked at, of a collection

  // A walk on its way.
  struct Course {
    FilePlace root;
    FilePlace at;
    Inode inode;  // of `at`
    std::deque<std::string> parts;
    int links = 0;
  };

  PathWalk(Inodes inodes, Paths names, Entries entries, MountTree mounts)
      : inodes_(inodes), names_(std::move(names)), entries_(entries), mounts_(std::move(mounts)) {}

  static void prepend(std::string_view path, std::deque<std::string>& parts);

  base::Result<void> step(Reader& reader, Course& course, const std::string& part);
  base::Result<void> step_up(Reader& reader, Course& course);
  base::Result<base::GuestVirtual> look_up(Reader& reader, const Course& course,
                                           const std::string& part);
  base::Result<void> follow(Reader& reader, Course& course, const FilePlace& directory,
                            const std::string& part);
  base::Result<void> arrive(Reader& reader, Course& course, FilePlace place);
  static base::Error failed(const Reader& reader, WalkEnd end);

  static base::Error no_such(const std::string& part, bool sure);
  static base::Error not_followed(const std::string& part, LinkEnd end);

  Inodes inodes_;
  Paths names_;
  Entries entries_;
  MountTree mounts_;
  std::vector<base::GuestVirtual> in_memory_;  // struct file_operations of their directories
  Budget steps_{kMostSteps};
};

}  // namespace vitrine::views
