// The regions of a process's memory: its struct vm_area_structs, from the maple tree that holds
// them since 6.1 (maple_tree.h), or the list that held them before (524e00b36e8c, 763ecb035029).
//
// Writers hold mmap_lock; it is read here without that: what a process changes meanwhile is noticed
// as a contradiction, since each region says itself where it begins and ends, and the tree says so,
// too.
//
// Thread contract: one thread at a time. Cost: some 12 loads a region, and those of the tree.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/kernel/kernel.h"
#include "vitrine/paging/walk.h"
#include "vitrine/views/cycle_guard.h"
#include "vitrine/views/maple_tree.h"
#include "vitrine/views/reader.h"
#include "vitrine/views/text.h"

namespace vitrine::views {

// VM_* of include/linux/mm.h.
enum RegionFlag : std::uint64_t {
  kRegionRead = 0x1,
  kRegionWrite = 0x2,
  kRegionExecute = 0x4,
  kRegionMayShare = 0x80,
  kRegionIo = 0x4000,
};

struct Region {
  static constexpr std::uint32_t kNoName = ~std::uint32_t{0};

  base::GuestVirtual start, end;  // of the process; `end` is the first address behind it
  std::uint64_t flags = 0;        // RegionFlag and others
  std::uint64_t file_page = 0;    // where in the file it begins, in pages
  base::GuestVirtual file = {};   // struct file; 0: none
  std::uint32_t name = kNoName;   // number of its name, if it has one that is not its file's
  paging::Fault fault = paging::Fault::none;  // other than none: all but the range is unknown
};

// "rwxp": what may be done, and whether it is private or shared, as /proc/PID/maps shows it.
std::string permissions_text(const Region& region);

class Regions {
 public:
  enum class End : std::uint8_t {
    whole,
    unreadable,  // see the reader's fault
    astray,      // damaged, or changed while it was read
    too_many,    // of all processes together: more than a guest can have
  };

  // Errors: the member that is missing; as MapleTree.
  static base::Result<Regions> attach(const kernel::Kernel& kernel);

  // To be called when a collection begins.
  void forget() {
    names_.clear();
    known_names_.clear();
    nodes_.renew();
    regions_.renew();
  }

  // Appends the regions of the struct mm_struct at `mm`, by ascending addresses.
  End read(Reader& reader, base::GuestVirtual mm, std::vector<Region>& regions);

  // As /proc/PID/maps shows it: [heap], [stack], [vdso], [anon:NAME], … Empty where it has none.
  std::string_view name(const Region& region) const {
    return region.name == Region::kNoName ? std::string_view() : names_[region.name];
  }

 private:
  static constexpr std::size_t kMaxName = 80;  // ANON_VMA_NAME_MAX_LEN
  static constexpr std::uint64_t kMostNodes = 4U << 20;
  static constexpr std::uint64_t kMostRegions = 4U << 20;  // of all processes

  // Offsets in bytes within the structure that holds each.
  struct Fields {
    std::uint32_t tree = 0, list = 0;                                          // mm_struct
    std::uint32_t heap_start = 0, heap_end = 0, stack = 0, context_flags = 0;  // mm_struct
    std::uint32_t start = 0, end = 0, flags = 0, file_page = 0, file = 0, operations = 0,
                  private_data = 0, next = 0, name = 0, high = 0;  // vm_area_struct
    std::uint32_t special_name = 0;                                // vm_special_mapping
    std::uint32_t name_text = 0;                                   // anon_vma_name
    bool in_tree = false, has_names = false, files_have_names = false;
    base::GuestVirtual special_operations;   // of regions that the kernel itself makes
    base::GuestVirtual gate, vsyscall_mode;  // 0: there is none
  };

  // Of a process.
  struct Bounds {
    base::GuestVirtual heap_start, heap_end, stack;
  };

  Regions(Fields fields, MapleTree tree) : fields_(fields), tree_(tree) {}

  static void resolve_region(Resolver& at, const kernel::TypeLookup& types, Fields& fields);

  End read_list(Reader& reader, base::GuestVirtual mm, const Bounds& bounds,
                std::vector<Region>& regions);
  bool read_region(Reader& reader, base::GuestVirtual at, const Bounds& bounds, Region& region);
  template <class Object, class Reader>
  bool read_name(Reader& reader, Object& from, const Bounds& bounds, Region& region);
  bool keep_text(Reader& reader, base::GuestVirtual at, std::string_view before,
                 std::string_view after, std::uint32_t& number);
  std::uint32_t keep(base::GuestVirtual at, std::string text);
  End add_gate(Reader& reader, base::GuestVirtual mm, std::vector<Region>& regions);

  Fields fields_;
  MapleTree tree_;
  Budget nodes_{kMostNodes};
  Budget regions_{kMostRegions};
  std::vector<std::string> names_;
  std::map<base::GuestVirtual, std::uint32_t> known_names_;  // ordered: a guest chooses the keys
};

// As get_vma_name() in fs/proc/task_mmu.c.
template <class Object, class Reader>
bool Regions::read_name(Reader& reader, Object& from, const Bounds& bounds, Region& region) {
  base::GuestVirtual name;
  const bool has_file = region.file.value != 0;
  if (fields_.has_names && (!has_file || fields_.files_have_names) &&
      !from.load(fields_.name, name.value))
    return false;
  if (has_file)
    return name.value == 0 ||
           keep_text(reader, name + fields_.name_text, "[anon_shmem:", "]", region.name);
  base::GuestVirtual operations;
  base::GuestVirtual mapping;
  base::GuestVirtual text;
  if (!from.load(fields_.operations, operations.value)) return false;
  if (operations.value != 0 && operations == fields_.special_operations)
    return from.load(fields_.private_data, mapping.value) &&
           reader.load(mapping + fields_.special_name, text.value) &&
           keep_text(reader, text, {}, {}, region.name);
  // Until 6.6, a region that only touches the heap counted as part of it.
  if (region.start < bounds.heap_end && region.end > bounds.heap_start) {
    region.name = keep(base::GuestVirtual(1), "[heap]");
  } else if (region.start <= bounds.stack && region.end >= bounds.stack) {
    region.name = keep(base::GuestVirtual(2), "[stack]");
  } else if (name.value != 0) {
    return keep_text(reader, name + fields_.name_text, "[anon:", "]", region.name);
  }
  return true;
}

}  // namespace vitrine::views
