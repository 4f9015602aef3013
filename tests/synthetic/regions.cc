#include "tests/synthetic/regions.h"

namespace vitrine::synthetic {

GuestVirtual Regions::text(const std::string& text, std::uint64_t before) {
  const GuestVirtual at = kernel_.allocate(before + text.size() + 1);
  kernel_.write(at + before, text);
  return at;
}

GuestVirtual Regions::area(const RegionOf& region) {
  const Types& types = kernel_.types();
  const GuestVirtual area = kernel_.allocate(types.size("struct vm_area_struct"));
  const auto put = [&](std::string_view member, std::uint64_t value) {
    kernel_.set(area, "vm_area_struct", member, value);
  };
  put("vm_start", region.start);
  put("vm_end", region.end);
  put("vm_flags", region.flags);
  put("vm_file", region.file.value);
  put("vm_pgoff", region.file_page);
  if (!region.name.empty())
    put("anon_name", text(region.name, types.offset("anon_vma_name", "name")).value);
  if (!region.special.empty()) {
    const GuestVirtual mapping = kernel_.allocate(types.size("struct vm_special_mapping"));
    kernel_.set(mapping, "vm_special_mapping", "name", text(region.special).value);
    put("vm_ops", kernel_.symbol("special_mapping_vmops").value);
    put("vm_private_data", mapping.value);
  }
  return area;
}

void Regions::give(int pid, const std::vector<RegionOf>& regions) {
  areas_.clear();
  nodes_.clear();
  std::vector<MapleEntry> entries;
  for (const RegionOf& region : regions) {
    areas_.push_back(area(region));
    entries.push_back({region.start, region.end - 1, areas_.back().value});
  }
  if (kernel_.options().regions == RegionHome::tree) {
    nodes_ = MapleTrees(kernel_).build(kernel_.member(mm(pid), "mm_struct", "mm_mt"), entries);
    return;
  }
  kernel_.set(mm(pid), "mm_struct", "mmap", areas_.empty() ? 0 : areas_.front().value);
  for (std::size_t i = 1; i < areas_.size(); ++i)
    kernel_.set(areas_[i - 1], "vm_area_struct", "vm_next", areas_[i].value);
}

void Regions::set_heap(int pid, std::uint64_t start, std::uint64_t end) {
  kernel_.set(mm(pid), "mm_struct", "start_brk", start);
  kernel_.set(mm(pid), "mm_struct", "brk", end);
}

void Regions::set_stack(int pid, std::uint64_t start) {
  kernel_.set(mm(pid), "mm_struct", "start_stack", start);
}

}  // namespace vitrine::synthetic
