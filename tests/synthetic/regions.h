// Regions of memory of a synthetic guest's processes: struct vm_area_structs, in a maple tree or a
// list as the kernel has them.
//
// Thread contract: one thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/synthetic/maple_tree.h"
#include "tests/synthetic/processes.h"

namespace vitrine::synthetic {

struct RegionOf {
  std::uint64_t start = 0, end = 0;
  std::uint64_t flags = 0x73;  // VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC
  GuestVirtual file = {};      // struct file
  std::uint64_t file_page = 0;
  std::string name = {};     // that the process gave it
  std::string special = {};  // that the kernel gave it: it is one of its own
};

class Regions {
 public:
  Regions(Kernel& kernel, Processes& processes) : kernel_(kernel), processes_(processes) {}

  // Gives a process these regions, by ascending addresses.
  void give(int pid, const std::vector<RegionOf>& regions);

  // Of the process that was given regions last: its struct vm_area_structs, and its tree's nodes.
  const std::vector<GuestVirtual>& areas() const { return areas_; }
  const std::vector<GuestVirtual>& nodes() const { return nodes_; }

  void set_heap(int pid, std::uint64_t start, std::uint64_t end);
  void set_stack(int pid, std::uint64_t start);

 private:
  GuestVirtual area(const RegionOf& region);
  GuestVirtual text(const std::string& text, std::uint64_t before = 0);
  GuestVirtual mm(int pid) const { return processes_.of(pid).mm.value(); }

  Kernel& kernel_;
  Processes& processes_;
  std::vector<GuestVirtual> areas_, nodes_;
};

}  // namespace vitrine::synthetic
