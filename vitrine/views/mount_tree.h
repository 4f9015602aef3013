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
#include "vitrine/views/reader.h"
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
  WalkEnd cross_down(Reader& reader, FilePlace& place);

  // From the root of a mount to the directory that it is mounted on, as often as need be, but not
  // out of `top`.
  WalkEnd cross_up(Reader& reader, const FilePlace& top, FilePlace& place);

 private:
  static constexpr std::size_t kMaxStack = 256;           // mounts on one place
  static constexpr std::uint64_t kMostMounts = 1U << 20;  // of a collection
  using Mounted =
      std::map<base::GuestVirtual, FilePlace>;  // by directory; a guest chooses the keys

  WalkEnd read(Reader& reader, base::GuestVirtual mount, Mounted& mounted);

  std::uint32_t parent_ = 0, mountpoint_ = 0, mounts_ = 0, child_ = 0, mount_ = 0;  // of mount
  std::uint32_t root_ = 0;                                                          // of vfsmount
  std::map<base::GuestVirtual, Mounted> known_;
  Budget left_{kMostMounts};
};

}  // namespace vitrine::views
