// The control group of a task in the unified hierarchy (cgroup2), as the line `0::` of
// /proc/PID/cgroup shows it to who sees the whole hierarchy.
//
// Thread contract: one thread at a time. Cost: 3 loads a task, and, once for each group of a
// collection, 2 and a text for each part of its path.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "vitrine/views/budget.h"
#include "vitrine/views/resolver.h"
#include "vitrine/views/text.h"

namespace vitrine::views {

class CgroupPaths {
 public:
  static CgroupPaths attach(Resolver& at);

  // To be called when a collection begins.
  void begin() {
    known_.clear();
    text_.renew();
  }

  // False where it can't be read or does not come to an end.
  template <class Reader>
  bool of_task(Reader& reader, base::GuestVirtual task, std::string& path);

 private:
  static constexpr std::size_t kMaxParts = 1024;
  static constexpr std::size_t kMaxName = 255;           // NAME_MAX
  static constexpr std::uint64_t kMostText = 64U << 20;  // bytes, of a collection
  static constexpr std::uint32_t kOnline = 2;            // CSS_ONLINE, linux/cgroup-defs.h

  template <class Reader>
  bool path_of(Reader& reader, base::GuestVirtual group, std::string& path);

  std::uint32_t set_ = 0, group_ = 0;                // task_struct; css_set
  std::uint32_t node_ = 0, flags_ = 0;               // cgroup
  std::uint32_t parent_ = 0, name_ = 0;              // kernfs_node
  std::map<base::GuestVirtual, std::string> known_;  // ordered: a guest chooses the keys
  Budget text_{kMostText};
};

template <class Reader>
bool CgroupPaths::of_task(Reader& reader, base::GuestVirtual task, std::string& path) {
  base::GuestVirtual set;
  base::GuestVirtual group;
  if (!reader.load(task + set_, set.value) || !reader.load(set + group_, group.value)) return false;
  if (const auto known = known_.find(group); known != known_.end()) {
    path = known->second;
    return text_.spend(path.size());
  }
  if (!path_of(reader, group, path)) return false;
  known_.emplace(group, path);
  return true;
}

template <class Reader>
bool CgroupPaths::path_of(Reader& reader, base::GuestVirtual group, std::string& path) {
  base::GuestVirtual node;
  std::uint32_t flags = 0;
  if (!reader.load(group + node_, node.value) || !reader.load(group + flags_, flags)) return false;
  std::vector<std::string> parts;  // the innermost first
  while (true) {
    base::GuestVirtual parent;
    base::GuestVirtual name;
    std::string part;
    if (parts.size() >= kMaxParts || !reader.load(node + parent_, parent.value)) return false;
    if (parent.value == 0) break;  // the root
    if (!reader.load(node + name_, name.value) || !load_text(reader, name, kMaxName, part) ||
        !text_.spend(part.size() + 1))
      return false;
    parts.push_back(std::move(part));
    node = parent;
  }
  path.clear();
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) (path += '/') += *part;
  if (path.empty()) path = "/";
  if ((flags & kOnline) == 0) path += " (deleted)";
  return true;
}

}  // namespace vitrine::views
