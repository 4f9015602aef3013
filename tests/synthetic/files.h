// Directories, mounts and open files of a synthetic guest.
//
// Thread contract: one thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/synthetic/kernel.h"
#include "tests/synthetic/processes.h"

namespace vitrine::synthetic {

class Files {
 public:
  // A mount namespace whose root is a file system of its own, mounted nowhere.
  Files(Kernel& kernel, Processes& processes);

  // struct super_block of a file system.
  GuestVirtual file_system(const std::string& type, std::uint32_t device);
  // struct dentry, with its inode; no parent: the root of its file system.
  GuestVirtual entry(GuestVirtual super, GuestVirtual parent, const std::string& name,
                     std::uint16_t mode = 0100644);
  // A symbolic link whose target the kernel keeps in memory of its own.
  GuestVirtual link(GuestVirtual super, GuestVirtual parent, const std::string& name,
                    const std::string& target);
  // Mounts a file system, at its root entry, on a directory of another mount; struct mount.
  GuestVirtual mount(GuestVirtual root_entry, GuestVirtual on, GuestVirtual directory);

  // The namespace, directories and no open files for a process.
  void attach(int pid);
  // Opens an entry, seen through a mount, as the next descriptor of a process; struct file.
  GuestVirtual open(int pid, GuestVirtual mount, GuestVirtual entry, std::uint32_t flags = 0);

  GuestVirtual root_mount() const { return root_mount_; }
  GuestVirtual root_entry() const { return root_entry_; }
  GuestVirtual inode_of(GuestVirtual entry) const;

 private:
  GuestVirtual text(const std::string& text);
  bool has_circular_lists() const;
  void set_modified(GuestVirtual inode, std::uint64_t seconds, std::uint32_t nanoseconds);
  void add_child(GuestVirtual directory, GuestVirtual entry);
  void set_path(GuestVirtual at, GuestVirtual mount, GuestVirtual entry);

  Kernel& kernel_;
  Processes& processes_;
  GuestVirtual namespace_, root_mount_, root_entry_;
  std::uint64_t next_inode_ = 1;
  std::uint32_t next_mount_ = 1;
};

}  // namespace vitrine::synthetic
