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
#include "vitrine/views/reader.h"
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
  bool of_task(Reader& reader, base::GuestVirtual task, std::string& path);

 private:
  static constexpr std::size_t kMaxParts = 1024;
  static constexpr std::size_t kMaxName = 255;           // NAME_MAX
  static constexpr std::uint64_t kMostText = 64U << 20;  // bytes, of a collection
  static constexpr std::uint32_t kOnline = 2;            // CSS_ONLINE, linux/cgroup-defs.h

  bool path_of(Reader& reader, base::GuestVirtual group, std::string& path);

  std::uint32_t set_ = 0, group_ = 0;                // task_struct; css_set
  std::uint32_t node_ = 0, flags_ = 0;               // cgroup
  std::uint32_t parent_ = 0, name_ = 0;              // kernfs_node
  std::map<base::GuestVirtual, std::string> known_;  // ordered: a guest chooses the keys
  Budget text_{kMostText};
};

}  // namespace vitrine::views
