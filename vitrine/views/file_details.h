// What a file is and how it is called: of a struct file that somebody has open or mapped, or of a
// place in a directory.
//
// Thread contract: one thread at a time. Cost: some 15 loads a file, and those of its path
// (paths.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "vitrine/views/paths.h"
#include "vitrine/views/reader.h"
#include "vitrine/views/text.h"

namespace vitrine::views {

struct FileDetails {
  std::uint16_t mode = 0;  // type and permissions, as st_mode
  std::uint32_t links = 0;
  std::uint32_t device = 0;      // of the file system
  std::uint32_t own_device = 0;  // of a device file
  std::uint64_t inode = 0;
  std::int64_t size = 0;  // bytes
  std::string path = {};
  bool deleted = false;  // the name was removed, or it never had one
  PathEnd end = PathEnd::whole;
  paging::Fault fault = paging::Fault::none;  // where something is unreadable
  bool unreadable = false;                    // all of the above

  bool is_regular() const { return mode >> 12 == 010; }
  bool is_device() const { return mode >> 12 == 002 || mode >> 12 == 006; }
};

class FileDecoder {
 public:
  // Resolves what is needed; `at` tells what is missing.
  static FileDecoder attach(Resolver& at, const kernel::TypeLookup& types);

  // As those of Paths.
  void forget() { paths_.forget(); }
  bool spent() const { return paths_.spent(); }

  // Of the struct file at `file`.
  void read_file(Reader& reader, base::GuestVirtual file, FileDetails& details);
  // The same of a file that a process has mapped: where a file system on top of another (overlayfs)
  // handed the lower file to the process, it is still called as the process knows it.
  void read_mapped_file(Reader& reader, base::GuestVirtual file, FileDetails& details);
  // Of the struct path at `path`.
  void read_place(Reader& reader, base::GuestVirtual path, FileDetails& details);

 private:
  static constexpr std::size_t kMaxName = 32;  // of a kind of file system or namespace, bytes
  // FMODE_BACKING of include/linux/fs.h: the 25th bit since there are such files (62d53c4a1dfe,
  // 6.5), later the 24th. Each has meant something else, too, so that it is but a hint.
  static constexpr std::uint32_t kMayBeBackingFile = 3U << 24;

  // `inode`: 0 where it is the one of the place.
  void read(Reader& reader, base::GuestVirtual path, base::GuestVirtual inode,
            FileDetails& details);
  bool read_inode(Reader& reader, base::GuestVirtual at, FileDetails& details) const;
  void read_path(Reader& reader, const FilePlace& place, base::GuestVirtual inode,
                 FileDetails& details);
  bool read_pseudo_path(Reader& reader, const FilePlace& place, base::GuestVirtual inode,
                        FileDetails& details, bool& is);

  bool is_path(Reader& reader, base::GuestVirtual at) const;

  static void fail(const Reader& reader, FileDetails& details) {
    details.unreadable = true;
    details.fault = reader.fault();
    details.end = PathEnd::unreadable;
  }

  Paths paths_;
  std::uint32_t mount_in_path_ = 0, entry_in_path_ = 0;
  std::uint32_t path_ = 0, inode_ = 0, mode_ = 0;    // of struct file
  std::uint32_t user_path_ = 0;                      // of struct backing_file; 0: there are none
  std::uint32_t mount_super_ = 0;                    // of struct vfsmount
  std::uint32_t entry_inode_ = 0, entry_super_ = 0;  // of struct dentry
  std::uint32_t inode_mode_ = 0, number_ = 0, size_ = 0, links_ = 0, super_ = 0, device_ = 0,
                private_data_ = 0;  // of struct inode
  std::uint32_t super_device_ = 0, super_type_ = 0, type_name_ = 0;
  bool names_namespaces_ = false;
  std::uint32_t namespace_operations_ = 0, namespace_name_ = 0;
};

}  // namespace vitrine::views
