#include "vitrine/views/paths.h"

namespace vitrine::views {

Paths Paths::attach(Resolver& at) {
  Paths paths;
  paths.parent_ = at("dentry", "d_parent");
  paths.name_length_ = at("dentry", {"d_name.len", "__d_name.len"});
  paths.name_text_ = at("dentry", {"d_name.name", "__d_name.name"});
  paths.hash_links_ = at("dentry", "d_hash.pprev");
  paths.root_ = at("vfsmount", "mnt_root");
  paths.mount_ = at("mount", "mnt");
  paths.mount_parent_ = at("mount", "mnt_parent");
  paths.mountpoint_ = at("mount", "mnt_mountpoint");
  return paths;
}

bool Paths::join(const std::vector<std::string>& parts, const std::string& above,
                 std::string& text) {
  text = above;
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    (text += '/') += *part;
    if (text.size() > kLongest) return false;
  }
  if (text.empty()) text = "/";
  return text_.spend(text.size());
}

}  // namespace vitrine::views
