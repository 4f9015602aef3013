#include "vitrine/views/entries.h"

namespace vitrine::views {

Entries Entries::attach(Resolver& at, const kernel::TypeLookup& types) {
  Entries entries;
  // A list that ends at zero since 6.8 (da549bdd15c2), a circular one before.
  entries.circular_ = !types.has_member("dentry", "d_children");
  entries.children_ = at("dentry", entries.circular_ ? "d_subdirs" : "d_children");
  entries.sibling_ = at("dentry", entries.circular_ ? "d_child" : "d_sib");
  entries.inode_ = at("dentry", "d_inode");
  entries.hash_links_ = at("dentry", "d_hash.pprev");
  entries.parent_ = at("dentry", "d_parent");
  return entries;
}

bool Entries::read(Reader& reader, base::GuestVirtual at, Entry& entry) const {
  std::uint64_t link = 0;
  entry.at = at;
  if (!reader.load(at + hash_links_, link) || !reader.load(at + inode_, entry.inode.value))
    return false;
  entry.hashed = link != 0;
  return true;
}

}  // namespace vitrine::views
