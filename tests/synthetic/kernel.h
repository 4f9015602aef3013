// A Linux kernel in a synthetic guest's RAM: image, page tables, direct map, VMCOREINFO, kallsyms,
// BTF and the symbols by which a kernel is recognised. Each part can be left out or falsified.
// Several kernels fit into one memory, such as a former one left by a warm reboot.
//
// What the builder cannot do (an unknown symbol or member) throws std::out_of_range.
//
// Thread contract: one thread at a time.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/synthetic/frame_allocator.h"
#include "tests/synthetic/kallsyms.h"
#include "tests/synthetic/kernel_types.h"
#include "tests/synthetic/memory.h"
#include "tests/synthetic/page_tables.h"
#include "vitrine/memory/registers.h"

namespace vitrine::synthetic {

// A line of /proc/iomem.
struct Resource {
  Range range;
  std::string name;
};

struct KernelOptions {
  std::string release = "6.1.0-synthetic-amd64";
  std::string version = "#1 SMP PREEMPT_DYNAMIC Synthetic 6.1 (2026-01-01)";
  std::string build_id = "bb603a9147d3efe4744bf83c83eee397c591cc20";
  int levels = 4;
  std::uint64_t kernel_offset = 0x1c000000;        // KASLR: where the image is mapped
  GuestPhysical image = GuestPhysical(0x1a00000);  // 2 MB-aligned: where _text is
  std::uint64_t page_offset = 0;                   // direct map; 0: the default of the level count
  int direct_map_level = 3;                        // largest pages: 2 for 2 MB, 3 for 1 GB
  bool page_table_isolation = false;               // roots in pairs, the second for user mode
  bool process_context_ids = false;                // CR3 carries a PCID in its low bits
  std::uint32_t cpus = 2;
  std::uint64_t jiffies = 4294667296 + 1234567;
  std::uint64_t uptime_ns = 1234567890123;  // boot-time clock
  std::uint64_t boot_time_s = 1750000000;   // since the epoch

  unsigned shuffle_seed = 0;  // other than 0: members lie elsewhere
  RssLayout rss = RssLayout::atomic_counters;
  TimekeeperHome timekeeper = TimekeeperHome::anonymous;
  PageTypes pages = PageTypes::bits;
  ModuleMemory modules = ModuleMemory::several;
  UnwindRules unwind_rules = UnwindRules::with_end_type;
  RegionHome regions = RegionHome::tree;
  LockLists lock_lists = LockLists::headed;
  LockForms locks = LockForms::several_processors;
  SymbolEncoding encoding = SymbolEncoding::absolute_percpu;
  NameLengths lengths = NameLengths::uleb128;
  bool kallsyms_offsets_last = false;
  int filler_symbols = 300;
  bool statm_sums_cpus = false;  // task_statm() calls __percpu_counter_sum(), as from 82241a83cd15
  std::string command_line = "ro quiet";
  std::map<std::string, std::uint64_t> variables = {};  // further symbols of data, and their sizes
  std::map<std::string, std::uint64_t> per_cpu_variables = {};  // the same of each CPU
  std::vector<Resource> resources = {};  // the top level of /proc/iomem; none: no iomem_resource

  // Parts left out.
  bool vmcoreinfo = true;
  bool vmcoreinfo_names_kallsyms = true;  // false: as before 6.0
  bool kallsyms = true;
  bool kallsyms_all = true;  // false: of functions only
  bool btf = true;
  std::set<std::string> missing_symbols = {};  // neither in kallsyms nor exported
  // Falsified: the value of a VMCOREINFO key ("SYMBOL(_stext)"), nullopt to leave the key out, and
  // an address in kallsyms.
  std::map<std::string, std::optional<std::string>> vmcoreinfo_overrides = {};
  std::map<std::string, std::uint64_t> symbol_overrides = {};
  std::uint64_t exports_shifted_by = 0;  // what the table of exports claims of every address
};

// Writes an ELF note as the kernel's vmcoreinfo_note at the start of a page: for a forged one too.
void write_vmcoreinfo_note(Memory& memory, GuestPhysical page, std::string_view text);

class Kernel {
 public:
  static constexpr std::uint64_t image_size = 6 * megabyte;  // text, read-only data, data

  static constexpr std::uint64_t stack_size = 16 << 10;  // of a task's kernel stack

  static constexpr std::size_t unwind_entries = 32;  // room in the tables, see stacks.h

  static constexpr std::uint64_t start_kernel_map = 0xffffffff80000000;  // __START_KERNEL_map

  // Builds the kernel; RAM for tables and allocations comes from `frames`.
  Kernel(Memory& memory, FrameAllocator& frames, KernelOptions options);

  const KernelOptions& options() const { return options_; }
  const Types& types() const { return types_; }
  PageTables& tables() { return tables_; }
  Memory& memory() { return memory_; }
  FrameAllocator& frames() { return frames_; }

  std::int64_t phys_base() const;
  std::uint64_t page_offset() const;
  std::uint64_t vmemmap_base() const;
  GuestVirtual symbol(const std::string& name) const;  // the true address, whatever is falsified
  bool has_symbol(const std::string& name) const { return symbols_.contains(name); }
  std::uint64_t percpu_offset(std::uint32_t cpu) const;
  // VMCOREINFO as written (overrides applied), and the page that holds the note.
  const std::string& vmcoreinfo_text() const { return vmcoreinfo_text_; }
  std::optional<GuestPhysical> vmcoreinfo_page() const { return vmcoreinfo_page_; }
  Range btf_range() const { return btf_range_; }
  const std::map<std::string, GuestVirtual>& kallsyms_tables() const { return kallsyms_tables_; }

  // Where an address of the image or the direct map lies, and the other way round.
  GuestPhysical physical(GuestVirtual at) const;
  GuestVirtual direct(GuestPhysical at) const { return GuestVirtual(page_offset() + at.value); }

  // Zeroed memory in the direct map, aligned to 64 bytes as slab objects are.
  GuestVirtual allocate(std::uint64_t size);
  // A per-CPU pointer: add percpu_offset(cpu) for the copy of a CPU.
  GuestVirtual allocate_percpu(std::uint64_t size);

  // Values at kernel addresses, and members of structs there; `value` is cut to the member's size.
  template <class T>
  void put(GuestVirtual at, T value) {
    memory_.put(physical(at), value);
  }
  template <class T>
  T get(GuestVirtual at) const {
    return memory_.get<T>(physical(at));
  }
  void write(GuestVirtual at, std::string_view text) { memory_.write(physical(at), text); }
  void set(GuestVirtual object, const std::string& type, std::string_view member,
           std::uint64_t value);
  std::uint64_t value(GuestVirtual object, const std::string& type, std::string_view member) const;
  // Where a member is.
  GuestVirtual member(GuestVirtual object, const std::string& type, std::string_view name) const {
    return object + types_.offset(type, name);
  }

  // What a CPU shows that runs in this kernel with the given root, or with that root's partner for
  // user mode if pages are isolated.
  memory::X86Registers registers(GuestPhysical root, bool in_user_mode = false) const;
  // A new root (a pair, with isolation) with the kernel's half, for a process.
  PageTables make_process_tables();
  // With isolation: brings the second root's user half up to date with the first's.
  void update_user_root(const PageTables& process);

 private:
  enum class Section : std::uint8_t { text, read_only, data };

  // Room in the image, with a symbol; zeroed and populated.
  GuestVirtual place(Section section, const std::string& name, std::uint64_t size,
                     std::uint64_t alignment = 8, char type = 0);
  void alias(const std::string& name, const std::string& of, char type);
  void lay_out_text();
  void lay_out_data();
  void lay_out_cpus();
  void build_tables();
  void fill_names();
  void fill_time();
  void fill_resources();
  void write_interrupt_table();
  void write_btf();
  void write_exports();
  void write_kallsyms();
  void write_vmcoreinfo();
  void map_isolated(PageTables& user_root) const;

  Memory& memory_;
  FrameAllocator& frames_;
  KernelOptions options_;
  Types types_;
  std::map<std::string, Symbol> symbols_;
  std::map<Section, std::uint64_t> used_;  // bytes of each section
  PageTables tables_;
  std::vector<GuestVirtual> percpu_areas_;
  std::uint64_t percpu_used_ = 0;
  std::map<std::string, GuestVirtual> kallsyms_tables_;
  std::string vmcoreinfo_text_;
  std::optional<GuestPhysical> vmcoreinfo_page_;
  Range btf_range_;
};

}  // namespace vitrine::synthetic
