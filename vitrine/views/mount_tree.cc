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

}  // namespace vitrine::views
