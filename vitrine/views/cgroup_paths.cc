#include "vitrine/views/cgroup_paths.h"

namespace vitrine::views {

CgroupPaths CgroupPaths::attach(Resolver& at) {
  CgroupPaths paths;
  paths.set_ = at("task_struct", "cgroups");
  paths.group_ = at("css_set", "dfl_cgrp");
  paths.node_ = at("cgroup", "kn");
  paths.flags_ = at("cgroup", "self.flags");
  // Renamed in 6.15 (633488947ef6).
  paths.parent_ = at("kernfs_node", {"parent", "__parent"});
  paths.name_ = at("kernfs_node", "name");
  return paths;
}

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
