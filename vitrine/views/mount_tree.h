// Which file systems are mounted on a place, along the tree of mounts (mnt_mounts).
//
// Writers change it under namespace_sem and mount_lock; it is read here without, as it stands.
//
// Thread contract: one thread at a time. Cost: 4 loads for each mount on the mounts that are asked
// about; what is on a mount is remembered until forget().
#pragma once

#include <map>

#include "vitrine/views/cycle_guard.h"
#include "vitrine/views/paths.h"
#include "vitrine/views/xarray.h"

namespace vitrine::views {

class MountTree {
 public:
  static MountTree attach(Resolver& at);

  // To be called when a collection begins.
  void forget() {
    known_.clear();
    left_.renew();
  }

  // From a directory to the root of what is mounted on it, as often as need be.
  template <class Reader>
  WalkEnd cross_down(Reader& reader, FilePlace& place);

  // From the root of a mount to the directory that it is mounted on, as often as need be, but not
  // out of `top`.
  template <class Reader>
  WalkEnd cross_up(Reader& reader, const FilePlace& top, FilePlace& place);

 private:
  static constexpr std::size_t kMaxStack = 256;           // mounts on one place
  static constexpr std::uint64_t kMostMounts = 1U << 20;  // of a collection
  using Mounted =
      std::map<base::GuestVirtual, FilePlace>;  // by directory; a guest chooses the keys

  template <class Reader>
  WalkEnd read(Reader& reader, base::GuestVirtual mount, Mounted& mounted);

  std::uint32_t parent_ = 0, mountpoint_ = 0, mounts_ = 0, child_ = 0, mount_ = 0;  // of mount
  std::uint32_t root_ = 0;                                                          // of vfsmount
  std::map<base::GuestVirtual, Mounted> known_;
  Budget left_{kMostMounts};
};

template <class Reader>
WalkEnd MountTree::cross_down(Reader& reader, FilePlace& place) {
  for (std::size_t times = 0; times < kMaxStack; ++times) {
    auto known = known_.find(place.mount);
    if (known == known_.end()) {
      Mounted mounted;
      if (const WalkEnd end = read(reader, place.mount, mounted); end != WalkEnd::whole) return end;
      known = known_.emplace(place.mount, std::move(mounted)).first;
    }
    const auto found = known->second.find(place.entry);
    if (found == known->second.end()) return WalkEnd::whole;
    place = found->second;
  }
  return WalkEnd::astray;
}

template <class Reader>
WalkEnd MountTree::cross_up(Reader& reader, const FilePlace& top, FilePlace& place) {
  for (std::size_t times = 0; times < kMaxStack; ++times) {
    base::GuestVirtual root;
    base::GuestVirtual above;
    if (!reader.load(place.mount + root_, root.value)) return WalkEnd::unreadable;
    if (place.entry != root || place == top) return WalkEnd::whole;
    const base::GuestVirtual mount = place.mount - mount_;
    if (!reader.load(mount + parent_, above.value)) return WalkEnd::unreadable;
    if (above == mount) return WalkEnd::whole;
    place.mount = above + mount_;
    if (!reader.load(mount + mountpoint_, place.entry.value)) return WalkEnd::unreadable;
  }
  return WalkEnd::astray;
}

// What is mounted on the directories of one mount.
template <class Reader>
WalkEnd MountTree::read(Reader& reader, base::GuestVirtual mount, Mounted& mounted) {
  const base::GuestVirtual head = mount - mount_ + mounts_;
  base::GuestVirtual at;
  CycleGuard guard;
  bool readable = reader.load(head, at.value);
  while (readable && at != head) {
    if (guard.closes(at) || !left_.spend(1)) return WalkEnd::astray;
    const base::GuestVirtual child = at - child_;
    base::GuestVirtual directory;
    FilePlace top{child + mount_, {}};
    readable = reader.load(child + mountpoint_, directory.value) &&
               reader.load(top.mount + root_, top.entry.value) && reader.load(at, at.value);
    if (readable) mounted.emplace(directory, top);
  }
  return readable ? WalkEnd::whole : WalkEnd::unreadable;
}

}  // namespace vitrine::views
