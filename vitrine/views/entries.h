// A directory's entries as the guest's dentry cache has them: those that somebody looked at, and
// that the kernel has not dropped since. File systems that live in memory alone have all of theirs
// there.
//
// Writers change the list under the directory's d_lock; it is read here without.
//
// Thread contract: immutable once attached. Cost: 3 loads an entry.
#pragma once

#include "vitrine/kernel/type_lookup.h"
#include "vitrine/views/cycle_guard.h"
#include "vitrine/views/reader.h"
#include "vitrine/views/xarray.h"

namespace vitrine::views {

struct Entry {
  base::GuestVirtual at;     // struct dentry
  base::GuestVirtual inode;  // 0: the kernel remembers that there is no such file
  bool hashed = false;       // it can be looked up; others were removed, and are still in use
};

class Entries {
 public:
  // Resolves what is needed; `at` tells what is missing.
  static Entries attach(Resolver& at, const kernel::TypeLookup& types);

  // Calls `visit(Entry)` for each entry in the directory until it returns false.
  template <class Visit>
  WalkEnd walk(Reader& reader, base::GuestVirtual directory, Budget& steps, Visit&& visit) const;

  bool read(Reader& reader, base::GuestVirtual at, Entry& entry) const;

  // The directory that an entry is in; itself for a root.
  bool parent(Reader& reader, base::GuestVirtual entry, base::GuestVirtual& parent) const {
    return reader.load(entry + parent_, parent.value);
  }

 private:
  bool circular_ = false;  // the list ends at its head, and not at zero
  std::uint32_t children_ = 0, sibling_ = 0, inode_ = 0, hash_links_ = 0, parent_ = 0;
};

template <class Visit>
WalkEnd Entries::walk(Reader& reader, base::GuestVirtual directory, Budget& steps,
                      Visit&& visit) const {
  const base::GuestVirtual head = directory + children_;
  const base::GuestVirtual last = circular_ ? head : base::GuestVirtual();
  base::GuestVirtual at;
  CycleGuard guard;
  bool readable = reader.load(head, at.value);
  while (readable && at != last) {
    Entry entry;
    if (guard.closes(at) || !steps.spend(1)) return WalkEnd::astray;
    readable = read(reader, at - sibling_, entry) && reader.load(at, at.value);
    if (readable && !visit(entry)) break;
  }
  return readable ? WalkEnd::whole : WalkEnd::unreadable;
}

}  // namespace vitrine::views
