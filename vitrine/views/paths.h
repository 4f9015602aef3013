// Names of files from the guest's directory entries: full paths across mounts, as d_path() in
// fs/d_path.c makes them.
//
// A path leads to the root of its mount tree, whatever the root directory of the process that has
// the file open. Directories that were named once are remembered until forget().
//
// Thread contract: one thread at a time. Cost: some 8 loads for each part of a path that is not
// known yet.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "vitrine/paging/walk.h"
#include "vitrine/views/budget.h"
#include "vitrine/views/reader.h"
#include "vitrine/views/resolver.h"

namespace vitrine::views {

// Where a file is: a struct path.
struct FilePlace {
  base::GuestVirtual mount;  // struct vfsmount
  base::GuestVirtual entry;  // struct dentry

  friend auto operator<=>(const FilePlace&, const FilePlace&) = default;
};

enum class PathEnd : std::uint8_t {
  whole,
  unreadable,  // see the reader's fault
  astray,      // it does not end: damaged, or changed while it was read
};

class Paths {
 public:
  // Resolves what is needed; `at` tells what is missing.
  static Paths attach(Resolver& at);

  // To be called when a collection begins.
  void forget() {
    known_.clear();
    steps_.renew();
    text_.renew();
  }
  // Whether the paths of this collection took more than all that a guest can have: the others are
  // not followed then.
  bool spent() const { return steps_.spent() || text_.spent(); }

  // The path of a file or directory.
  PathEnd path(Reader& reader, const FilePlace& place, std::string& text);

  // The path within the file system that the entry is on, as if that were mounted nowhere.
  PathEnd inner_path(Reader& reader, base::GuestVirtual entry, std::string& text);

  // The last part of its name.
  bool name(Reader& reader, base::GuestVirtual entry, std::string& text) const;

  // Whether the entry was removed from its directory.
  bool deleted(Reader& reader, base::GuestVirtual entry, bool& is) const;

 private:
  static constexpr std::size_t kMaxParts = 2048;
  static constexpr std::size_t kMaxName = 255;      // NAME_MAX
  static constexpr std::size_t kMaxKnown = 65'536;  // directories
  static constexpr std::size_t kLongest = 64 << 10;
  static constexpr std::uint64_t kMostSteps = 16U << 20;  // of a collection
  static constexpr std::uint64_t kMostText = 256U << 20;  // bytes, of a collection

  // The directory that a place is in, and its name there. What is in none is a root, or a file that
  // never was in a directory, such as one of memfd_create(2), which has a name all the same.
  struct Step {
    FilePlace directory;
    std::string name;
    bool is_root = false;
  };

  PathEnd step(Reader& reader, FilePlace place, Step& step);

  // The path of these parts, the innermost first, below `above`. False where it is too long.
  bool join(const std::vector<std::string>& parts, const std::string& above, std::string& text);

  std::uint32_t parent_ = 0, name_length_ = 0, name_text_ = 0, hash_links_ = 0;  // of struct dentry
  std::uint32_t root_ = 0;                                       // of struct vfsmount
  std::uint32_t mount_ = 0, mount_parent_ = 0, mountpoint_ = 0;  // of struct mount
  std::map<FilePlace, std::string> known_;  // ordered: a guest chooses the keys
  Budget steps_{kMostSteps};
  Budget text_{kMostText};
};

}  // namespace vitrine::views
