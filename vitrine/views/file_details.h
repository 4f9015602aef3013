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
  template <class Reader>
  void read_file(Reader& reader, base::GuestVirtual file, FileDetails& details);
  // The same of a file that a process has mapped: where a file system on top of another (overlayfs)
  // handed the lower file to the process, it is still called as the process knows it.
  template <class Reader>
  void read_mapped_file(Reader& reader, base::GuestVirtual file, FileDetails& details);
  // Of the struct path at `path`.
  template <class Reader>
  void read_place(Reader& reader, base::GuestVirtual path, FileDetails& details);

 private:
  static constexpr std::size_t kMaxName = 32;  // of a kind of file system or namespace, bytes
  // FMODE_BACKING of include/linux/fs.h: the 25th bit since there are such files (62d53c4a1dfe,
  // 6.5), later the 24th. Each has meant something else, too, so that it is but a hint.
  static constexpr std::uint32_t kMayBeBackingFile = 3U << 24;

  // `inode`: 0 where it is the one of the place.
  template <class Reader>
  void read(Reader& reader, base::GuestVirtual path, base::GuestVirtual inode,
            FileDetails& details);
  template <class Reader>
  bool read_inode(Reader& reader, base::GuestVirtual at, FileDetails& details) const;
  template <class Reader>
  void read_path(Reader& reader, const FilePlace& place, base::GuestVirtual inode,
                 FileDetails& details);
  template <class Reader>
  bool read_pseudo_path(Reader& reader, const FilePlace& place, base::GuestVirtual inode,
                        FileDetails& details, bool& is);

  template <class Reader>
  bool is_path(Reader& reader, base::GuestVirtual at) const;

  template <class Reader>
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

template <class Reader>
void FileDecoder::read_file(Reader& reader, base::GuestVirtual file, FileDetails& details) {
  base::GuestVirtual inode;
  if (!reader.load(file + inode_, inode.value)) return fail(reader, details);
  read(reader, file + path_, inode, details);
}

// As file_user_path() and file_user_inode() in include/linux/fs.h.
template <class Reader>
void FileDecoder::read_mapped_file(Reader& reader, base::GuestVirtual file, FileDetails& details) {
  std::uint32_t mode = 0;
  if (user_path_ != 0 && !reader.load(file + mode_, mode)) return fail(reader, details);
  if ((mode & kMayBeBackingFile) != 0 && is_path(reader, file + user_path_))
    return read_place(reader, file + user_path_, details);
  read_file(reader, file, details);
}

// Whether a struct path is there: its mount and its entry are of the same file system.
template <class Reader>
bool FileDecoder::is_path(Reader& reader, base::GuestVirtual at) const {
  base::GuestVirtual mount;
  base::GuestVirtual entry;
  std::uint64_t of_mount = 0;
  std::uint64_t of_entry = 0;
  return reader.load(at + mount_in_path_, mount.value) &&
         reader.load(mount + mount_super_, of_mount) &&
         reader.load(at + entry_in_path_, entry.value) &&
         reader.load(entry + entry_super_, of_entry) && of_mount != 0 && of_mount == of_entry;
}

template <class Reader>
void FileDecoder::read_place(Reader& reader, base::GuestVirtual path, FileDetails& details) {
  read(reader, path, {}, details);
}

template <class Reader>
void FileDecoder::read(Reader& reader, base::GuestVirtual path, base::GuestVirtual inode,
                       FileDetails& details) {
  FilePlace place;
  if (!reader.load(path + mount_in_path_, place.mount.value) ||
      !reader.load(path + entry_in_path_, place.entry.value) ||
      (inode.value == 0 && !reader.load(place.entry + entry_inode_, inode.value)) ||
      !read_inode(reader, inode, details))
    return fail(reader, details);
  read_path(reader, place, inode, details);
}

template <class Reader>
bool FileDecoder::read_inode(Reader& reader, base::GuestVirtual at, FileDetails& details) const {
  base::GuestVirtual super;
  return reader.load(at + inode_mode_, details.mode) && reader.load(at + number_, details.inode) &&
         reader.load(at + size_, details.size) && reader.load(at + links_, details.links) &&
         reader.load(at + device_, details.own_device) && reader.load(at + super_, super.value) &&
         reader.load(super + super_device_, details.device);
}

template <class Reader>
void FileDecoder::read_path(Reader& reader, const FilePlace& place, base::GuestVirtual inode,
                            FileDetails& details) {
  bool pseudo = false;
  bool removed = false;
  if (!read_pseudo_path(reader, place, inode, details, pseudo)) {
    details.end = PathEnd::unreadable;
  } else if (!pseudo) {
    details.end = paths_.path(reader, place, details.path);
    if (details.end == PathEnd::whole && !paths_.deleted(reader, place.entry, removed))
      details.end = PathEnd::unreadable;
    // What never had a name, such as a file of memfd_create(2), counts as deleted, too.
    details.deleted = removed || (details.links == 0 && details.is_regular());
  }
  if (details.end == PathEnd::unreadable) details.fault = reader.fault();
}

// What is in no directory is named after its file system, as their d_dname() do. False where that
// can't be read.
template <class Reader>
bool FileDecoder::read_pseudo_path(Reader& reader, const FilePlace& place, base::GuestVirtual inode,
                                   FileDetails& details, bool& is) {
  base::GuestVirtual super;
  base::GuestVirtual type;
  base::GuestVirtual name;
  std::string fs;
  if (!reader.load(inode + super_, super.value) || !reader.load(super + super_type_, type.value) ||
      !reader.load(type + type_name_, name.value) || !load_text(reader, name, kMaxName, fs))
    return false;
  is = true;
  if (fs == "sockfs" || fs == "pipefs") {
    details.path = fs == "sockfs" ? "socket:[" : "pipe:[";
    details.path += std::to_string(details.inode) + "]";
    return true;
  }
  if (fs == "anon_inodefs") {
    if (!paths_.name(reader, place.entry, details.path)) return false;
    details.path.insert(0, "anon_inode:");
    return true;
  }
  // Nameless since 6.9.
  if (fs == "pidfs") {
    details.path = "anon_inode:[pidfd]";
    return true;
  }
  is = fs == "nsfs" && names_namespaces_;
  if (!is) return true;
  base::GuestVirtual common;
  base::GuestVirtual operations;
  base::GuestVirtual kind;
  if (!reader.load(inode + private_data_, common.value) ||
      !reader.load(common + namespace_operations_, operations.value) ||
      !reader.load(operations + namespace_name_, kind.value))
    return false;
  if (!load_text(reader, kind, kMaxName, details.path)) return false;
  details.path += ":[" + std::to_string(details.inode) + "]";
  return true;
}

}  // namespace vitrine::views
