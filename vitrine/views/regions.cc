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

Regions::End Regions::read(Reader& reader, base::GuestVirtual mm, std::vector<Region>& regions) {
  Bounds bounds;
  if (!reader.load(mm + fields_.heap_start, bounds.heap_start.value) ||
      !reader.load(mm + fields_.heap_end, bounds.heap_end.value) ||
      !reader.load(mm + fields_.stack, bounds.stack.value))
    return End::unreadable;
  End end = End::whole;
  if (fields_.in_tree) {
    const auto add = [&](std::uint64_t first, std::uint64_t last, std::uint64_t entry) {
      if (MapleTree::is_mark(entry)) return true;
      if (!regions_.spend(1)) {
        end = End::too_many;
        return false;
      }
      Region region{.start = base::GuestVirtual(first), .end = base::GuestVirtual(last + 1)};
      if (!read_region(reader, base::GuestVirtual(entry), bounds, region)) end = End::astray;
      regions.push_back(region);
      return true;
    };
    const MapleTree::End walked = tree_.walk(reader, mm + fields_.tree, nodes_, add);
    if (walked == MapleTree::End::unreadable) return End::unreadable;
    if (walked == MapleTree::End::astray) return nodes_.spent() ? End::too_many : End::astray;
  } else {
    end = read_list(reader, mm, bounds, regions);
  }
  if (end != End::whole) return end;
  return fields_.gate.value == 0 ? End::whole : add_gate(reader, mm, regions);
}

Regions::End Regions::read_list(Reader& reader, base::GuestVirtual mm, const Bounds& bounds,
                                std::vector<Region>& regions) {
  base::GuestVirtual at;
  base::GuestVirtual before;  // where the last region ended
  CycleGuard guard;
  if (!reader.load(mm + fields_.list, at.value)) return End::unreadable;
  while (at.value != 0) {
    if (!regions_.spend(1)) return End::too_many;
    Region region;
    if (!reader.load(at + fields_.start, region.start.value) ||
        !reader.load(at + fields_.end, region.end.value))
      return End::unreadable;
    if (guard.closes(at) || region.start < before || region.end <= region.start) return End::astray;
    before = region.end;
    if (!read_region(reader, at, bounds, region)) return End::astray;
    regions.push_back(region);
    if (!reader.load(at + fields_.next, at.value)) return End::unreadable;
  }
  return End::whole;
}

// False where it is not where it should be. What can't be read is left unknown.
bool Regions::read_region(Reader& reader, base::GuestVirtual at, const Bounds& bounds,
                          Region& region) {
  reader.expect(at, fields_.high);
  Reader::Object from(reader, at, fields_.high);
  base::GuestVirtual start;
  base::GuestVirtual end;
  if (!from.load(fields_.start, start.value) || !from.load(fields_.end, end.value) ||
      !from.load(fields_.flags, region.flags) || !from.load(fields_.file_page, region.file_page) ||
      !from.load(fields_.file, region.file.value) || !read_name(reader, from, bounds, region)) {
    region.fault = reader.fault();
    return true;
  }
  return start == region.start && end == region.end;
}

bool Regions::keep_text(Reader& reader, base::GuestVirtual at, std::string_view before,
                        std::string_view after, std::uint32_t& number) {
  if (const auto known = known_names_.find(at); known != known_names_.end()) {
    number = known->second;
    return true;
  }
  std::string text(before);
  if (!load_text(reader, at, kMaxName, text)) return false;
  text += after;
  number = keep(at, std::move(text));
  return true;
}

// The page of system calls at a fixed address that old programs call: no region of a process, but
// shown as one (get_gate_vma() in arch/x86/entry/vsyscall/vsyscall_64.c).
Regions::End Regions::add_gate(Reader& reader, base::GuestVirtual mm,
                               std::vector<Region>& regions) {
  constexpr std::uint32_t kNone = 2;           // the mode NONE
  constexpr std::uint16_t kHasVsyscall = 0x2;  // MM_CONTEXT_HAS_VSYSCALL
  std::uint32_t mode = 0;
  std::uint16_t flags = 0;
  Region region;
  if (!reader.load(fields_.vsyscall_mode, mode) || !reader.load(mm + fields_.context_flags, flags))
    return End::unreadable;
  if (mode == kNone || (flags & kHasVsyscall) == 0) return End::whole;
  if (!reader.load(fields_.gate + fields_.start, region.start.value) ||
      !reader.load(fields_.gate + fields_.end, region.end.value) ||
      !reader.load(fields_.gate + fields_.flags, region.flags))
    return End::unreadable;
  region.name = keep(fields_.gate, "[vsyscall]");
  regions.push_back(region);
  return End::whole;
}

}  // namespace vitrine::views
