#include "vitrine/views/mount_tree.h"

namespace vitrine::views {

MountTree MountTree::attach(Resolver& at) {
  MountTree tree;
  tree.parent_ = at("mount", "mnt_parent");
  tree.mountpoint_ = at("mount", "mnt_mountpoint");
  tree.mounts_ = at("mount", "mnt_mounts");
  tree.child_ = at("mount", "mnt_child");
  tree.mount_ = at("mount", "mnt");
  tree.root_ = at("vfsmount", "mnt_root");
  return tree;
}

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
