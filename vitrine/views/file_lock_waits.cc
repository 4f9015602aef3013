#include "vitrine/views/file_lock_waits.h"

#include <string>

namespace vitrine::views {

// What all locks of files have is a structure of its own since 6.9.
FileLockWaits FileLockWaits::attach(const kernel::TypeLookup& types) {
  FileLockWaits locks;
  Resolver at(types);
  const bool core = types.has_member("file_lock_core", "flc_blocker");
  const std::string type = core ? "file_lock_core" : "file_lock";
  const std::string prefix = core ? "flc_" : "fl_";
  locks.blocker_ = at(type, prefix + "blocker");
  locks.blocked_ = at(type, prefix + "blocked_member");
  locks.pid_ = at(type, prefix + "pid");
  locks.queue_ = at(type, prefix + "wait.head");
  locks.entry_ = at("wait_queue_entry", "entry");
  locks.known_ = !at.error();
  return locks;
}

std::optional<FileLockWaits::Found> FileLockWaits::find(
    Reader& reader, std::span<const base::GuestVirtual> entries) const {
  for (const base::GuestVirtual entry : entries) {
    base::GuestVirtual head;
    if (!known_ || !reader.load(entry + entry_, head.value)) continue;
    const base::GuestVirtual own = head - queue_;
    Found found;
    if (reader.load(own + blocker_, found.lock.value) && found.lock.value != 0 &&
        linked_both_ways(reader, own + blocked_) && reader.load(found.lock + pid_, found.owner))
      return found;
  }
  return std::nullopt;
}

}  // namespace vitrine::views
