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

}  // namespace vitrine::views
