#include "tests/synthetic/kernel.h"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace vitrine::synthetic {
namespace {

constexpr std::uint64_t text_start = 0xffffffff81000000;  // without KASLR
constexpr std::uint64_t section_size = 2 * megabyte;
constexpr std::uint64_t percpu_size = 32 * kilobyte;
const GuestVirtual cpu_entry_area(0xfffffe0000000000);

std::uint64_t round_up(std::uint64_t value, std::uint64_t to) { return (value + to - 1) / to * to; }

}  // namespace

Kernel::Kernel(Memory& memory, FrameAllocator& frames, KernelOptions options)
    : memory_(memory),
      frames_(frames),
      options_(std::move(options)),
      types_(kernel_types(options_.rss, options_.timekeeper, options_.shuffle_seed, options_.pages,
                          options_.modules, options_.unwind_rules, options_.regions,
                          options_.lock_lists, options_.locks)),
      tables_(memory, frames, options_.levels, GuestPhysical(0)) {
  lay_out_text();
  lay_out_data();
  lay_out_cpus();
  build_tables();
  fill_names();
  fill_time();
  fill_resources();
  write_interrupt_table();
  if (options_.btf) write_btf();
  write_exports();
  if (options_.kallsyms) write_kallsyms();
  if (options_.vmcoreinfo) write_vmcoreinfo();
}

std::int64_t Kernel::phys_base() const {
  return static_cast<std::int64_t>(options_.image.value -
                                   (text_start + options_.kernel_offset - start_kernel_map));
}

std::uint64_t Kernel::page_offset() const {
  if (options_.page_offset != 0) return options_.page_offset;
  return options_.levels == 5 ? 0xff11000000000000 : 0xffff888000000000;
}

std::uint64_t Kernel::vmemmap_base() const {
  return options_.levels == 5 ? 0xffd4000000000000 : 0xffffea0000000000;
}

GuestVirtual Kernel::symbol(const std::string& name) const {
  return GuestVirtual(symbols_.at(name).address);
}

std::uint64_t Kernel::percpu_offset(std::uint32_t cpu) const {
  return percpu_areas_.at(cpu).value - symbols_.at("__per_cpu_start").address;
}

GuestPhysical Kernel::physical(GuestVirtual at) const {
  const std::uint64_t in_image = at.value - (text_start + options_.kernel_offset);
  if (in_image < image_size) return options_.image + in_image;
  const GuestPhysical direct_mapped(at.value - page_offset());
  if (!memory_.is_ram(direct_mapped, 1))
    throw std::out_of_range("synthetic guest: no kernel memory at " + to_string(at));
  return direct_mapped;
}

GuestVirtual Kernel::place(Section section, const std::string& name, std::uint64_t size,
                           std::uint64_t alignment, char type) {
  std::uint64_t& used = used_[section];
  used = round_up(used, alignment);
  const std::uint64_t offset = static_cast<std::uint64_t>(section) * section_size + used;
  used += size;
  if (used > section_size) throw std::out_of_range("synthetic guest: the kernel image is full");
  memory_.populate({options_.image + offset, size});
  const GuestVirtual at(text_start + options_.kernel_offset + offset);
  constexpr std::array<char, 3> types = {'T', 'R', 'D'};
  symbols_[name] = {name, at.value, type != 0 ? type : types.at(static_cast<std::size_t>(section))};
  return at;
}

void Kernel::alias(const std::string& name, const std::string& of, char type) {
  symbols_[name] = {name, symbols_.at(of).address, type};
}

void Kernel::lay_out_text() {
  place(Section::text, "_text", 64);
  symbols_["_stext"] = {"_stext", symbols_.at("_text").address, 'T'};
  for (const char* name : {"asm_exc_divide_error", "default_idle", "entry_SYSCALL_64",
                           "start_kernel", "__x64_sys_read", "do_syscall_64", "ret_from_fork"})
    memory_.write(physical(place(Section::text, name, 64, 16)), "\xf3\x0f\x1e\xfa\xc3");
  for (int i = 0; i < options_.filler_symbols; ++i)
    place(Section::text, "synthetic_driver_function_" + std::to_string(i), 16, 16, 't');
  // All ten digits occur in names, as in every real kernel.
  place(Section::text, "__pfx_0123456789", 16, 16, 't');
  // Longer than one length byte can say under the two-byte encoding, however well compressed.
  std::string rust_like = "_RNv";
  for (int i = 0; i < 72; ++i) {
    rust_like += static_cast<char>('A' + i * 7 % 26);
    rust_like += static_cast<char>('a' + i * i % 23);
    rust_like += static_cast<char>('A' + i % 25);
  }
  place(Section::text, rust_like, 16, 16, 't');
  const GuestVirtual sum = place(Section::text, "__percpu_counter_sum", 64, 16);
  const GuestVirtual statm = place(Section::text, "task_statm", 64, 16);
  if (options_.statm_sums_cpus) {
    put(statm, std::uint8_t{0xe8});
    put(statm + 1, static_cast<std::uint32_t>(sum - (statm + 5)));
  }
  for (const char* waits : {"__mutex_lock", "rwsem_down_write_slowpath", "do_wait"})
    place(Section::text, waits, 64, 16);
  place(Section::text, "_etext", 0);
}

void Kernel::lay_out_data() {
  place(Section::read_only, "linux_banner", 256);
  place(Section::read_only, "__start_orc_unwind_ip", 4 * unwind_entries);
  place(Section::read_only, "__stop_orc_unwind_ip", 0, 4);
  place(Section::read_only, "__start_orc_unwind", unwind_entries * types_.size("struct orc_entry"));
  for (const char* operations :
       {"param_ops_bool", "param_ops_int", "param_ops_charp", "simple_dir_operations"})
    place(Section::read_only, operations, 32);
  place(Section::data, "swapper_pg_dir", 2 * page_size, 2 * page_size);
  alias("init_top_pgt", "swapper_pg_dir", 'D');
  place(Section::data, "idt_table", page_size, page_size);
  place(Section::data, "__start_init_task", stack_size, page_size, 'D');
  place(Section::data, "__end_init_task", 0, page_size, 'D');
  place(Section::data, "init_task", types_.size("struct task_struct"), 64);
  place(Section::data, "init_signals", types_.size("struct signal_struct"), 64, 'd');
  place(Section::data, "init_cred", types_.size("struct cred"), 64);
  place(Section::data, "init_uts_ns", types_.size("struct uts_namespace"), 64);
  put(place(Section::data, "page_offset_base", 8), page_offset());
  put(place(Section::data, "vmemmap_base", 8), vmemmap_base());
  put(place(Section::data, "vmalloc_base", 8),
      options_.levels == 5 ? 0xffa0000000000000 : 0xffffc90000000000);
  put(place(Section::data, "phys_base", 8), phys_base());
  put(place(Section::data, "__pgtable_l5_enabled", 4), options_.levels == 5 ? 1U : 0U);
  put(place(Section::data, "jiffies_64", 8, 64), options_.jiffies);
  place(Section::read_only, "special_mapping_vmops", 64, 8, 'r');
  place(Section::data, "gate_vma", types_.size("struct vm_area_struct"), 8, 'd');
  put(place(Section::data, "vsyscall_mode", 4, 4, 'd'), 2U);  // NONE
  put(place(Section::data, "nr_swapfiles", 4, 4, 'b'), 2U);
  put(place(Section::data, "huge_zero_pfn", 8, 8, 'd'), ~std::uint64_t{0});
  place(Section::data, "prb", 8, 8, 'd');
  place(Section::data, "tasklist_lock", types_.size("rwlock_t"), 64);
  place(Section::data, "pidmap_lock", types_.size("spinlock_t"), 64, 'd');
  for (const char* lock : {"mount_lock", "rename_lock"})
    place(Section::data, lock, types_.size("seqlock_t"), 64);
  place(Section::data, "namespace_sem", types_.size("struct rw_semaphore"), 64, 'd');
  place(Section::data, "module_mutex", types_.size("struct mutex"), 64);
  const GuestVirtual modules = place(Section::data, "modules", 16, 8, 'd');
  put(modules, modules.value);
  put(modules + 8, modules.value);
  place(Section::read_only, "socket_file_ops", 32);
  place(Section::data, "net_namespace_list", 16);
  place(Section::data, "tcp_hashinfo", types_.size("struct inet_hashinfo"), 64);
  place(Section::data, "udp_table", types_.size("struct udp_table"));
  place(Section::data, "raw_v4_hashinfo", types_.size("struct raw_hashinfo"));
  place(Section::data, "nl_table", 8);
  place(Section::data, "arp_tbl", types_.size("struct neigh_table"));
  alias("jiffies", "jiffies_64", 'D');
  if (options_.timekeeper == TimekeeperHome::timekeeper_data)
    place(Section::data, "timekeeper_data", 2ULL * types_.size("struct tk_data"), 64, 'd');
  else
    place(Section::data, "tk_core", types_.size("struct timekeeper") + 64ULL, 64, 'd');
  place(Section::data, "vmcoreinfo_note", 8, 8, 'B');
  const GuestVirtual text = place(Section::data, "synthetic_command_line", 2048, 8, 'd');
  write(text, options_.command_line);
  put(place(Section::data, "saved_command_line", 8), text.value);
  std::uint64_t pages = 0;
  for (const Range& range : memory_.ram()) pages += range.size / page_size;
  put(place(Section::data, "_totalram_pages", 8), pages);
  for (const auto& [name, size] : options_.variables) place(Section::data, name, size, 64, 'd');
  if (!options_.resources.empty())
    place(Section::data, "iomem_resource", types_.size("struct resource"), 64);
}

void Kernel::lay_out_cpus() {
  put(place(Section::data, "nr_cpu_ids", 4), options_.cpus);
  put(place(Section::data, "__num_online_cpus", 4), options_.cpus);
  const std::uint64_t mask = options_.cpus >= 64 ? ~0ULL : (1ULL << options_.cpus) - 1;
  for (const char* name : {"__cpu_possible_mask", "__cpu_present_mask", "__cpu_online_mask"})
    put(place(Section::data, name, 1024), mask);
  const GuestVirtual offsets = place(Section::data, "__per_cpu_offset", 8ULL * 256);
  // With the absolute-per-CPU encoding the per-CPU symbols of x86 begin at zero, else in the image.
  if (options_.encoding == SymbolEncoding::absolute_percpu)
    symbols_["__per_cpu_start"] = {"__per_cpu_start", 0, 'A'};
  else
    place(Section::data, "__per_cpu_start", page_size, page_size);
  const std::uint64_t start = symbols_.at("__per_cpu_start").address;
  symbols_["current_task"] = {"current_task", start + 0x40, 'A'};
  symbols_["cpu_number"] = {"cpu_number", start + 0x48, 'A'};
  percpu_used_ = 0x100;
  for (const auto& [name, size] : options_.per_cpu_variables)
    symbols_[name] = {name, allocate_percpu(size).value, 'A'};
  for (std::uint32_t cpu = 0; cpu < options_.cpus; ++cpu) {
    percpu_areas_.push_back(direct(frames_.take(percpu_size)));
    put(offsets + 8ULL * cpu, percpu_offset(cpu));
    put(percpu_areas_.back() + 0x40, symbol("init_task").value);
    put(percpu_areas_.back() + 0x48, cpu);
  }
  place(Section::data, "_end", 0, 8, 'B');
}

void Kernel::build_tables() {
  tables_ = PageTables(memory_, frames_, options_.levels, physical(symbol("swapper_pg_dir")));
  tables_.map_range(symbol("_text"), options_.image, image_size, 2);
  tables_.map(cpu_entry_area, physical(symbol("idt_table")), 1,
              entry_present | entry_accessed | entry_global | entry_no_execute);
  for (const Range& range : memory_.ram())
    tables_.map_range(direct(range.start), range.start, range.size, options_.direct_map_level,
                      kernel_page | entry_no_execute);
}

void Kernel::fill_names() {
  const GuestVirtual names = member(symbol("init_uts_ns"), "uts_namespace", "name");
  const auto put_name = [&](const char* field, std::string_view text) {
    write(names + types_.offset("new_utsname", field), text.substr(0, 64));
  };
  put_name("sysname", "Linux");
  put_name("nodename", "synthetic");
  put_name("release", options_.release);
  put_name("version", options_.version);
  put_name("machine", "x86_64");
  put_name("domainname", "(none)");
  const std::string banner = "Linux version " + options_.release +
                             " (builder@synthetic) (gcc-12 (Debian 12.2.0-14) 12.2.0) " +
                             options_.version + "\n";
  write(symbol("linux_banner"), std::string_view(banner).substr(0, 255));
}

void Kernel::fill_time() {
  const bool per_timekeeper = options_.timekeeper == TimekeeperHome::timekeeper_data;
  const GuestVirtual home = symbol(per_timekeeper ? "timekeeper_data" : "tk_core");
  const bool named = options_.timekeeper != TimekeeperHome::anonymous;
  const GuestVirtual keeper = member(home, named ? "tk_data" : "<tk_core>", "timekeeper");
  constexpr std::uint64_t second = 1000000000;
  constexpr std::uint64_t suspended = 7 * second;  // boot time is ahead of monotonic time by this
  const std::uint64_t monotonic = options_.uptime_ns - suspended;
  const std::uint64_t offset_real = options_.boot_time_s * second + suspended;
  const std::uint64_t wall = monotonic + offset_real;
  constexpr unsigned shift = 22;
  const auto put_field = [&](std::string_view field, std::uint64_t value) {
    set(keeper, "timekeeper", field, value);
  };
  put_field("xtime_sec", wall / second);
  put_field("tkr_mono.shift", shift);
  put_field("tkr_mono.xtime_nsec", wall % second << shift);
  // The monotonic time of the last tick is base plus the part of a second in xtime_nsec.
  put_field("tkr_mono.base", monotonic - wall % second);
  put_field("ktime_sec", monotonic / second);
  put_field("raw_sec", monotonic / second);
  put_field("offs_real", offset_real);
  put_field("offs_boot", suspended);
  put_field("offs_tai", offset_real);
  const std::uint64_t back = (second - offset_real % second) % second;
  put_field("wall_to_monotonic.tv_sec", 0 - (offset_real + back) / second);
  put_field("wall_to_monotonic.tv_nsec", back);
  put_field("monotonic_to_boot.tv_sec", suspended / second);
}

// The tree that /proc/iomem shows (kernel/resource.c), of one level.
void Kernel::fill_resources() {
  if (options_.resources.empty()) return;
  GuestVirtual link = member(symbol("iomem_resource"), "resource", "child");
  for (const Resource& resource : options_.resources) {
    const GuestVirtual at = allocate(types_.size("struct resource"));
    const GuestVirtual name = allocate(resource.name.size() + 1);
    write(name, resource.name);
    set(at, "resource", "start", resource.range.start.value);
    set(at, "resource", "end", resource.range.end().value - 1);
    set(at, "resource", "name", name.value);
    put(link, at.value);
    link = member(at, "resource", "sibling");
  }
}

void Kernel::write_interrupt_table() {
  const std::uint64_t handler = symbol("asm_exc_divide_error").value;
  const GuestVirtual table = symbol("idt_table");
  for (std::uint64_t vector = 0; vector < 256; ++vector) {
    // Intel SDM vol. 3, 6.14.1 "64-Bit Mode IDT".
    const std::uint64_t low =
        (handler & 0xffff) | 0x10ULL << 16 | 0x8e00ULL << 32 | (handler >> 16 & 0xffff) << 48;
    put(table + 16 * vector, low);
    put(table + 16 * vector + 8, handler >> 32);
  }
}

void Kernel::write_btf() {
  const std::vector<std::byte> raw = types_.btf();
  const GuestVirtual at = place(Section::read_only, "__start_BTF", raw.size(), 8);
  memory_.write(physical(at), raw);
  btf_range_ = {physical(at), raw.size()};
  symbols_["__stop_BTF"] = {"__stop_BTF", (at + raw.size()).value, 'R'};
}

void Kernel::write_kallsyms() {
  std::vector<Symbol> listed;
  for (auto [name, symbol] : symbols_) {
    if (options_.missing_symbols.contains(name)) continue;
    if (!options_.kallsyms_all && symbol.type != 'T' && symbol.type != 't') continue;
    const auto changed = options_.symbol_overrides.find(name);
    if (changed != options_.symbol_overrides.end()) symbol.address = changed->second;
    listed.push_back(symbol);
  }
  // The tables do not list themselves, so their place is taken under a name that is dropped.
  const GuestVirtual at = place(Section::read_only, "kallsyms", 0, 64);
  symbols_.erase("kallsyms");
  const Kallsyms built = build_kallsyms(std::move(listed), options_.encoding, options_.lengths,
                                        options_.kallsyms_offsets_last, at);
  used_[Section::read_only] += built.bytes.size();
  if (used_[Section::read_only] > section_size)
    throw std::out_of_range("synthetic guest: the kernel image is full");
  memory_.write(physical(at), built.bytes);
  kallsyms_tables_ = built.tables;
}

GuestVirtual Kernel::allocate(std::uint64_t size) { return direct(frames_.take(size, 64)); }

GuestVirtual Kernel::allocate_percpu(std::uint64_t size) {
  const std::uint64_t at = round_up(percpu_used_, 8);
  percpu_used_ = at + size;
  if (percpu_used_ > percpu_size) throw std::out_of_range("synthetic guest: per-CPU area is full");
  return GuestVirtual(symbols_.at("__per_cpu_start").address + at);
}

void Kernel::set(GuestVirtual object, const std::string& type, std::string_view member_path,
                 std::uint64_t value) {
  const Place found = types_.place(type, member_path);
  const std::size_t size = types_.size(found.type);
  memory_.write(physical(object + found.offset),
                std::as_bytes(std::span(&value, 1)).first(std::min<std::size_t>(size, 8)));
}

std::uint64_t Kernel::value(GuestVirtual object, const std::string& type,
                            std::string_view member_path) const {
  const Place found = types_.place(type, member_path);
  std::uint64_t value = 0;
  memory_.peek(physical(object + found.offset),
               std::as_writable_bytes(std::span(&value, 1))
                   .first(std::min<std::size_t>(types_.size(found.type), 8)));
  return value;
}

memory::X86Registers Kernel::registers(GuestPhysical root, bool in_user_mode) const {
  memory::X86Registers shown;
  shown.cr0 = 0x80050033;
  shown.cr3 = root.value;
  shown.cr4 = 0x6f0 | (options_.levels == 5 ? 1ULL << 12 : 0);
  if (options_.page_table_isolation && in_user_mode) shown.cr3 |= page_size;
  if (options_.process_context_ids) {
    shown.cr4 |= 1 << 17;
    // arch/x86/mm/tlb.c: kernel PCIDs count from 1, those for user mode have bit 11 set.
    shown.cr3 |= options_.page_table_isolation && in_user_mode ? 0x801 : 1;
  }
  shown.efer = 0xd01;
  shown.idt_base = cpu_entry_area.value;
  shown.rip = in_user_mode ? 0x401000 : symbol("default_idle").value + 8;
  return shown;
}

PageTables Kernel::make_process_tables() {
  const bool isolated = options_.page_table_isolation;
  const std::uint64_t size = isolated ? 2 * page_size : page_size;
  PageTables made(memory_, frames_, options_.levels, frames_.take(size, size));
  made.share_kernel_half(tables_);
  if (isolated) {
    PageTables user_root(memory_, frames_, options_.levels, made.root() + page_size);
    map_isolated(user_root);
  }
  return made;
}

// What stays mapped in user mode: the CPU entry area and the page of the entry code.
void Kernel::map_isolated(PageTables& user_root) const {
  user_root.map(cpu_entry_area, physical(symbol("idt_table")), 1,
                entry_present | entry_accessed | entry_global | entry_no_execute);
  const GuestVirtual entry_code(symbol("entry_SYSCALL_64").value / page_size * page_size);
  user_root.map(entry_code, physical(entry_code), 1, entry_present | entry_accessed | entry_global);
}

void Kernel::update_user_root(const PageTables& process) {
  if (!options_.page_table_isolation) return;
  PageTables(memory_, frames_, options_.levels, process.root() + page_size)
      .share_user_half(process);
}

}  // namespace vitrine::synthetic
