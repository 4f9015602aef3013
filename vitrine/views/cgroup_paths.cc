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

}  // namespace vitrine::views
