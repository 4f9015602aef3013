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
  template <class Reader>
  PathEnd path(Reader& reader, const FilePlace& place, std::string& text);

  // The path within the file system that the entry is on, as if that were mounted nowhere.
  template <class Reader>
  PathEnd inner_path(Reader& reader, base::GuestVirtual entry, std::string& text);

  // The last part of its name.
  template <class Reader>
  bool name(Reader& reader, base::GuestVirtual entry, std::string& text) const;

  // Whether the entry was removed from its directory.
  template <class Reader>
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

  template <class Reader>
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

template <class Reader>
bool Paths::name(Reader& reader, base::GuestVirtual entry, std::string& text) const {
  std::uint32_t length = 0;
  base::GuestVirtual at;
  if (!reader.load(entry + name_length_, length) || !reader.load(entry + name_text_, at.value))
    return false;
  text.resize(std::min<std::size_t>(length, kMaxName));
  return reader.load_bytes(at, std::as_writable_bytes(std::span(text)));
}

template <class Reader>
bool Paths::deleted(Reader& reader, base::GuestVirtual entry, bool& is) const {
  std::uint64_t link = 0;
  base::GuestVirtual parent;
  if (!reader.load(entry + hash_links_, link) || !reader.load(entry + parent_, parent.value))
    return false;
  is = link == 0 && parent != entry;  // d_unlinked()
  return true;
}

// From the root of a mount to the directory that it is mounted on, as often as need be.
template <class Reader>
PathEnd Paths::step(Reader& reader, FilePlace place, Step& step) {
  for (std::size_t mounts = 0; mounts < kMaxParts; ++mounts) {
    if (!steps_.spend(1)) return PathEnd::astray;
    base::GuestVirtual root;
    if (!reader.load(place.mount + root_, root.value)) return PathEnd::unreadable;
    if (place.entry != root) {
      base::GuestVirtual parent;
      if (!reader.load(place.entry + parent_, parent.value)) return PathEnd::unreadable;
      step.is_root = parent == place.entry;
      step.directory = {place.mount, parent};
      if (!name(reader, place.entry, step.name)) return PathEnd::unreadable;
      if (step.is_root && step.name == "/") step.name.clear();
      return PathEnd::whole;
    }
    const base::GuestVirtual mount(place.mount.value - mount_);
    base::GuestVirtual above;
    if (!reader.load(mount + mount_parent_, above.value)) return PathEnd::unreadable;
    if (above == mount) {
      step.is_root = true;
      return PathEnd::whole;
    }
    place.mount = above + mount_;
    if (!reader.load(mount + mountpoint_, place.entry.value)) return PathEnd::unreadable;
  }
  return PathEnd::astray;
}

template <class Reader>
PathEnd Paths::inner_path(Reader& reader, base::GuestVirtual entry, std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t steps = 0; steps < kMaxParts && steps_.spend(1); ++steps) {
    base::GuestVirtual parent;
    std::string part;
    if (!reader.load(entry + parent_, parent.value)) return PathEnd::unreadable;
    if (parent == entry) return join(parts, {}, text) ? PathEnd::whole : PathEnd::astray;
    if (!name(reader, entry, part)) return PathEnd::unreadable;
    parts.push_back(std::move(part));
    entry = parent;
  }
  return PathEnd::astray;
}

template <class Reader>
PathEnd Paths::path(Reader& reader, const FilePlace& place, std::string& text) {
  std::vector<std::string> parts;  // the innermost first
  FilePlace at = place;
  FilePlace directory;
  std::string above;
  for (std::size_t steps = 0;; ++steps) {
    if (const auto known = known_.find(at); known != known_.end()) {
      above = known->second;
      break;
    }
    Step next;
    if (steps >= kMaxParts) return PathEnd::astray;
    if (const PathEnd end = step(reader, at, next); end != PathEnd::whole) return end;
    if (!next.name.empty()) parts.push_back(std::move(next.name));
    if (next.is_root) break;
    at = next.directory;
    if (steps == 0) directory = at;
  }
  if (!join(parts, above, text)) return PathEnd::astray;
  // Others are likely to be in the same directory.
  if (directory != FilePlace() && !parts.empty() && known_.size() < kMaxKnown) {
    std::string remembered = text.substr(0, text.size() - parts.front().size() - 1);
    if (text_.spend(remembered.size())) known_.emplace(directory, std::move(remembered));
  }
  return PathEnd::whole;
}

}  // namespace vitrine::views
