#include "vitrine/views/regions.h"

#include <algorithm>
#include <array>

namespace vitrine::views {

std::string permissions_text(const Region& region) {
  const auto letter = [&region](std::uint64_t flag, char yes, char no) {
    return (region.flags & flag) != 0 ? yes : no;
  };
  return {letter(kRegionRead, 'r', '-'), letter(kRegionWrite, 'w', '-'),
          letter(kRegionExecute, 'x', '-'), letter(kRegionMayShare, 's', 'p')};
}

void Regions::resolve_region(Resolver& at, const kernel::TypeLookup& types, Fields& fields) {
  const std::string_view area = "vm_area_struct";
  fields.start = at(area, "vm_start");
  fields.end = at(area, "vm_end");
  fields.flags = at(area, "vm_flags");
  fields.file_page = at(area, "vm_pgoff");
  fields.file = at(area, "vm_file");
  fields.operations = at(area, "vm_ops");
  fields.private_data = at(area, "vm_private_data");
  if (!fields.in_tree) fields.next = at(area, "vm_next");
  // Since 5.17 (9a10064f5625), where the kernel was built with it.
  fields.has_names = types.has_member(area, "anon_name");
  if (fields.has_names) {
    fields.name = at(area, "anon_name");
    fields.name_text = at("anon_vma_name", "name");
    // Until 6.2 (d09e8ca6cb93), what it shared its place with was used where there is a file.
    const kernel::Member shared = at.member(area, "shared");
    fields.files_have_names = fields.name - shared.offset >= shared.size;
  }
  fields.high = std::max({fields.start, fields.end, fields.flags, fields.file_page, fields.file,
                          fields.operations, fields.private_data, fields.next, fields.name}) +
                8;
}

base::Result<Regions> Regions::attach(const kernel::Kernel& kernel) {
  enum Name : std::size_t { kSpecial, kGate, kMode, kNames };
  constexpr std::array<std::string_view, kNames> kSymbols{"special_mapping_vmops", "gate_vma",
                                                          "vsyscall_mode"};
  const auto symbols = kernel.symbols.find(kSymbols);
  Resolver at(kernel.types);
  Fields fields;
  fields.in_tree = !kernel.types.has_member("mm_struct", "mmap");
  (fields.in_tree ? fields.tree : fields.list) = at("mm_struct", fields.in_tree ? "mm_mt" : "mmap");
  fields.heap_start = at("mm_struct", "start_brk");
  fields.heap_end = at("mm_struct", "brk");
  fields.stack = at("mm_struct", "start_stack");
  resolve_region(at, kernel.types, fields);
  fields.special_name = at("vm_special_mapping", "name");
  fields.special_operations = symbols[kSpecial].value_or(base::GuestVirtual());
  if (symbols[kGate] && symbols[kMode]) {
    fields.gate = *symbols[kGate];
    fields.vsyscall_mode = *symbols[kMode];
    fields.context_flags = at("mm_struct", "context.flags");
  }
  MapleTree tree;
  if (fields.in_tree) {
    auto attached = MapleTree::attach(at);
    if (!attached) return base::fail(attached.error());
    tree = *attached;
  }
  if (at.error()) return base::fail(*at.error());
  return Regions(fields, tree);
}

std::uint32_t Regions::keep(base::GuestVirtual at, std::string text) {
  const auto [known, is_new] =
      known_names_.try_emplace(at, static_cast<std::uint32_t>(names_.size()));
  if (is_new) names_.push_back(std::move(text));
  return known->second;
}

}  // namespace vitrine::views
