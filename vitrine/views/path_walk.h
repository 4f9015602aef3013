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
  template <class Reader>
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

  template <class Reader>
  base::Result<void> step(Reader& reader, Course& course, const std::string& part);
  template <class Reader>
  base::Result<void> step_up(Reader& reader, Course& course);
  template <class Reader>
  base::Result<base::GuestVirtual> look_up(Reader& reader, const Course& course,
                                           const std::string& part);
  template <class Reader>
  base::Result<void> follow(Reader& reader, Course& course, const FilePlace& directory,
                            const std::string& part);
  template <class Reader>
  base::Result<void> arrive(Reader& reader, Course& course, FilePlace place);
  template <class Reader>
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

template <class Reader>
base::Error PathWalk::failed(const Reader& reader, WalkEnd end) {
  if (end == WalkEnd::astray)
    return {base::Code::inconsistent,
            "the guest's directories do not come to an end: they are damaged, or changed while "
            "they were read",
            "look again"};
  return {base::Code::unreadable,
          "the guest's directories can't be read: " + std::string(paging::name(reader.fault())),
          {},
          reader.fault_address().value};
}

template <class Reader>
auto PathWalk::find(Reader& reader, const FilePlace& root, std::string_view path)
    -> base::Result<Found> {
  if (!path.starts_with('/') || path.size() > kMaxPath || path.find('\0') != std::string_view::npos)
    return base::fail(base::Code::invalid, "\"" + std::string(path) + "\" is no absolute path",
                      "it begins with / and has at most 4096 bytes");
  Course course{.root = root, .at = {}, .inode = {}, .parts = {}};
  if (auto arrived = arrive(reader, course, root); !arrived) return base::fail(arrived.error());
  prepend(path, course.parts);
  while (!course.parts.empty()) {
    const std::string part = std::move(course.parts.front());
    course.parts.pop_front();
    if (auto stepped = step(reader, course, part); !stepped) return base::fail(stepped.error());
  }
  return Found{course.at, course.inode};
}

template <class Reader>
base::Result<void> PathWalk::step(Reader& reader, Course& course, const std::string& part) {
  if (!course.inode.is_directory())
    return base::fail(base::Code::absent, "the path leads through what is no directory");
  if (part == ".") return {};
  if (part == "..") return step_up(reader, course);
  const FilePlace directory = course.at;
  const Inode inode = course.inode;
  const auto entry = look_up(reader, course, part);
  if (!entry) return base::fail(entry.error());
  if (auto arrived = arrive(reader, course, {directory.mount, *entry}); !arrived) return arrived;
  if (!course.inode.is_link()) return {};
  if (auto followed = follow(reader, course, directory, part); !followed) return followed;
  if (course.at == directory) course.inode = inode;
  return {};
}

template <class Reader>
base::Result<void> PathWalk::step_up(Reader& reader, Course& course) {
  FilePlace place = course.at;
  if (const WalkEnd end = mounts_.cross_up(reader, course.root, place); end != WalkEnd::whole)
    return base::fail(failed(reader, end));
  if (place != course.root && !entries_.parent(reader, place.entry, place.entry))
    return base::fail(failed(reader, WalkEnd::unreadable));
  return arrive(reader, course, place);
}

template <class Reader>
base::Result<base::GuestVirtual> PathWalk::look_up(Reader& reader, const Course& course,
                                                   const std::string& part) {
  base::GuestVirtual found;
  bool known_absent = false;
  bool readable = true;
  std::string name;
  const WalkEnd end = entries_.walk(reader, course.at.entry, steps_, [&](const Entry& entry) {
    if (!entry.hashed) return true;
    const bool named = names_.name(reader, entry.at, name);
    readable = readable && named;
    if (!named || name != part) return true;
    known_absent = entry.inode.value == 0;
    found = entry.at;
    return known_absent;
  });
  if (found.value != 0 && !known_absent) return found;
  if (known_absent) return base::fail(no_such(part, true));
  if (end != WalkEnd::whole) return base::fail(failed(reader, end));
  if (!readable) return base::fail(failed(reader, WalkEnd::unreadable));
  return base::fail(no_such(part, lives_in_memory(course.inode)));
}

// The course goes on at the directory that the link is in, or at the root.
template <class Reader>
base::Result<void> PathWalk::follow(Reader& reader, Course& course, const FilePlace& directory,
                                    const std::string& part) {
  std::string target;
  const LinkEnd end = inodes_.target(reader, course.inode, target);
  if (end != LinkEnd::whole || target.empty()) return base::fail(not_followed(part, end));
  if (++course.links > kMaxLinks || course.parts.size() > kMaxParts)
    return base::fail(
        base::Code::absent,
        "the path leads through too many symbolic links: they may lead to each other");
  prepend(target, course.parts);
  if (target.starts_with('/')) return arrive(reader, course, course.root);
  course.at = directory;
  return {};
}

// With what is mounted there.
template <class Reader>
base::Result<void> PathWalk::arrive(Reader& reader, Course& course, FilePlace place) {
  Entry entry;
  if (place != course.root)
    if (const WalkEnd end = mounts_.cross_down(reader, place); end != WalkEnd::whole)
      return base::fail(failed(reader, end));
  if (!entries_.read(reader, place.entry, entry) ||
      !inodes_.read(reader, entry.inode, course.inode))
    return base::fail(failed(reader, WalkEnd::unreadable));
  course.at = place;
  return {};
}

}  // namespace vitrine::views
