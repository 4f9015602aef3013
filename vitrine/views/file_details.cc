#include "vitrine/views/file_details.h"

namespace vitrine::views {

FileDecoder FileDecoder::attach(Resolver& at, const kernel::TypeLookup& types) {
  FileDecoder decoder;
  decoder.paths_ = Paths::attach(at);
  decoder.mount_in_path_ = at("path", "mnt");
  decoder.entry_in_path_ = at("path", "dentry");
  decoder.path_ = at("file", {"f_path", "__f_path"});
  decoder.inode_ = at("file", "f_inode");
  // Since def3ae83da02 (6.8); before, the path of such a file was the one that users know.
  if (types.has_member("backing_file", "user_path")) {
    decoder.user_path_ = at("backing_file", "user_path");
    decoder.mode_ = at("file", "f_mode");
    decoder.mount_super_ = at("vfsmount", "mnt_sb");
    decoder.entry_super_ = at("dentry", "d_sb");
  }
  decoder.entry_inode_ = at("dentry", "d_inode");
  decoder.inode_mode_ = at("inode", "i_mode");
  decoder.number_ = at("inode", "i_ino");
  decoder.size_ = at("inode", "i_size");
  decoder.links_ = at("inode", "i_nlink");
  decoder.super_ = at("inode", "i_sb");
  decoder.device_ = at("inode", "i_rdev");
  decoder.private_data_ = at("inode", "i_private");
  decoder.super_device_ = at("super_block", "s_dev");
  decoder.super_type_ = at("super_block", "s_type");
  decoder.type_name_ = at("file_system_type", "name");
  decoder.names_namespaces_ = types.has_member("ns_common", "ops");
  if (decoder.names_namespaces_) {
    decoder.namespace_operations_ = at("ns_common", "ops");
    decoder.namespace_name_ = at("proc_ns_operations", "name");
  }
  return decoder;
}

void FileDecoder::read_file(Reader& reader, base::GuestVirtual file, FileDetails& details) {
  base::GuestVirtual inode;
  if (!reader.load(file + inode_, inode.value)) return fail(reader, details);
  read(reader, file + path_, inode, details);
}

// As file_user_path() and file_user_inode() in include/linux/fs.h.
void FileDecoder::read_mapped_file(Reader& reader, base::GuestVirtual file, FileDetails& details) {
  std::uint32_t mode = 0;
  if (user_path_ != 0 && !reader.load(file + mode_, mode)) return fail(reader, details);
  if ((mode & kMayBeBackingFile) != 0 && is_path(reader, file + user_path_))
    return read_place(reader, file + user_path_, details);
  read_file(reader, file, details);
}

// Whether a struct path is there: its mount and its entry are of the same file system.
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

void FileDecoder::read_place(Reader& reader, base::GuestVirtual path, FileDetails& details) {
  read(reader, path, {}, details);
}

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

bool FileDecoder::read_inode(Reader& reader, base::GuestVirtual at, FileDetails& details) const {
  base::GuestVirtual super;
  return reader.load(at + inode_mode_, details.mode) && reader.load(at + number_, details.inode) &&
         reader.load(at + size_, details.size) && reader.load(at + links_, details.links) &&
         reader.load(at + device_, details.own_device) && reader.load(at + super_, super.value) &&
         reader.load(super + super_device_, details.device);
}

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
