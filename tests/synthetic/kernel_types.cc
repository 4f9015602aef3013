#include "tests/synthetic/kernel_types.h"

#include "tests/synthetic/network_types.h"

namespace vitrine::synthetic {
namespace {

void add_scalars(Types& types) {
  types.add_integer("char", 1, true);
  types.add_integer("unsigned char", 1, false);
  types.add_integer("short int", 2, true);
  types.add_integer("short unsigned int", 2, false);
  types.add_integer("int", 4, true);
  types.add_integer("unsigned int", 4, false);
  types.add_integer("long int", 8, true);
  types.add_integer("long unsigned int", 8, false);
  types.add_integer("long long int", 8, true);
  types.add_integer("long long unsigned int", 8, false);
  types.add_typedef("u8", "unsigned char");
  types.add_typedef("u16", "short unsigned int");
  types.add_typedef("s16", "short int");
  types.add_typedef("s32", "int");
  types.add_typedef("u32", "unsigned int");
  types.add_typedef("s64", "long long int");
  types.add_typedef("u64", "long long unsigned int");
  types.add_typedef("pid_t", "int");
  types.add_typedef("uid_t", "unsigned int");
  types.add_typedef("ktime_t", "s64");
  types.add_struct("<atomic_t>", {{"counter", "int"}});
  types.add_typedef("atomic_t", "struct <atomic_t>");
  types.add_struct("<atomic64_t>", {{"counter", "s64"}});
  types.add_typedef("atomic64_t", "struct <atomic64_t>");
  types.add_typedef("atomic_long_t", "atomic64_t");
  types.add_struct("refcount_struct", {{"refs", "atomic_t"}});
  types.add_typedef("refcount_t", "struct refcount_struct");
  types.add_struct("<kuid_t>", {{"val", "uid_t"}});
  types.add_typedef("kuid_t", "struct <kuid_t>");
  types.add_struct("<kgid_t>", {{"val", "uid_t"}});
  types.add_typedef("kgid_t", "struct <kgid_t>");
  types.add_struct("<pgd_t>", {{"pgd", "long unsigned int"}});
  types.add_typedef("pgd_t", "struct <pgd_t>");
  types.add_struct("list_head", {{"next", "struct list_head *"}, {"prev", "struct list_head *"}});
}

// include/linux/{spinlock,rwlock,rwsem,mutex,seqlock}_types.h, rwbase_rt.h and rtmutex.h.
void add_locks(Types& types, LockForms forms, LockLists lists) {
  const auto waiters = [lists](const std::string& waiter) {
    return lists == LockLists::headed ? Field{"wait_list", "struct list_head"}
                                      : Field{"first_waiter", "struct " + waiter + " *"};
  };
  types.add_struct("mutex_waiter",
                   {{"list", "struct list_head"}, {"task", "struct task_struct *"}});
  types.add_struct(
      "rwsem_waiter",
      {{"list", "struct list_head"}, {"task", "struct task_struct *"}, {"type", "unsigned int"}});
  types.add_struct("seqcount", {{"sequence", "unsigned int"}});
  types.add_struct("seqcount_spinlock", {{"seqcount", "struct seqcount"}});
  types.add_struct("rt_mutex_base",
                   {{"wait_lock", "u32"}, {"waiters", "void *"}, {"owner", "void *"}});
  types.add_struct("rwbase_rt", {{"readers", "atomic_t"}, {"rtmutex", "struct rt_mutex_base"}});
  std::vector<Field> spinlock{{"lock", "struct rt_mutex_base"}};
  std::vector<Field> rwlock{{"rwbase", "struct rwbase_rt"}};
  std::vector<Field> semaphore{{"rwbase", "struct rwbase_rt"}};
  std::vector<Field> mutex{{"rtmutex", "struct rt_mutex_base"}};
  if (forms != LockForms::real_time) {
    const bool words = forms == LockForms::several_processors;
    types.add_struct("qspinlock", {{words ? "val" : "none", "atomic_t"}});
    types.add_struct("qrwlock", {{words ? "cnts" : "none", "atomic_t"}, {"wait_lock", "u32"}});
    types.add_struct("raw_spinlock", {{"raw_lock", "struct qspinlock"}});
    types.add_struct("<spinlock>", {{"rlock", "struct raw_spinlock"}});
    spinlock = {{"", "struct <spinlock>"}};
    rwlock = {{"raw_lock", "struct qrwlock"}};
    semaphore = {{"count", "atomic_long_t"}, {"owner", "atomic_long_t"}, waiters("rwsem_waiter")};
    mutex = {{"owner", "atomic_long_t"}, {"wait_lock", "u32"}, waiters("mutex_waiter")};
  }
  types.add_struct("spinlock", spinlock);
  types.add_typedef("spinlock_t", "struct spinlock");
  types.add_struct("<rwlock_t>", rwlock);
  types.add_typedef("rwlock_t", "struct <rwlock_t>");
  types.add_struct("rw_semaphore", semaphore);
  types.add_struct("mutex", mutex);
  types.add_struct("<seqlock_t>",
                   {{"seqcount", "struct seqcount_spinlock"}, {"lock", "spinlock_t"}});
  types.add_typedef("seqlock_t", "struct <seqlock_t>");
}

void add_names(Types& types) {
  types.add_struct("new_utsname", {{"sysname", "char[65]"},
                                   {"nodename", "char[65]"},
                                   {"release", "char[65]"},
                                   {"version", "char[65]"},
                                   {"machine", "char[65]"},
                                   {"domainname", "char[65]"}});
  types.add_spread("resource",
                   {{"start", "u64"},
                    {"end", "u64"},
                    {"name", "char *"},
                    {"parent", "struct resource *"},
                    {"sibling", "struct resource *"},
                    {"child", "struct resource *"}},
                   96, 0, 96);
  types.add_spread("uts_namespace",
                   {{"name", "struct new_utsname"}, {"user_ns", "void *"}, {"ucounts", "void *"}},
                   432, 0, 416);
}

void add_timekeeping(Types& types, TimekeeperHome home) {
  types.add_struct("timespec64", {{"tv_sec", "s64"}, {"tv_nsec", "long int"}});
  types.add_struct("tk_read_base", {{"clock", "void *"},
                                    {"mask", "u64"},
                                    {"cycle_last", "u64"},
                                    {"mult", "u32"},
                                    {"shift", "u32"},
                                    {"xtime_nsec", "u64"},
                                    {"base", "ktime_t"},
                                    {"base_real", "u64"}});
  types.add_spread("timekeeper",
                   {{"tkr_mono", "struct tk_read_base"},
                    {"tkr_raw", "struct tk_read_base"},
                    {"xtime_sec", "u64"},
                    {"ktime_sec", "long unsigned int"},
                    {"wall_to_monotonic", "struct timespec64"},
                    {"offs_real", "ktime_t"},
                    {"offs_boot", "ktime_t"},
                    {"offs_tai", "ktime_t"},
                    {"raw_sec", "u64"},
                    {"monotonic_to_boot", "struct timespec64"}},
                   280, 0, 280);
  const std::vector<Field> guarded = {{"seq", "struct seqcount"},
                                      {"timekeeper", "struct timekeeper"}};
  types.add_struct(home == TimekeeperHome::anonymous ? "<tk_core>" : "tk_data", guarded);
}

// As in kernel/printk/printk_ringbuffer.h, but that the level has a byte of its own.
void add_log(Types& types) {
  types.add_struct("dev_printk_info", {{"subsystem", "char[16]"}, {"device", "char[48]"}});
  types.add_struct("printk_info", {{"seq", "u64"},
                                   {"ts_nsec", "u64"},
                                   {"text_len", "u16"},
                                   {"facility", "u8"},
                                   {"level", "u8"},
                                   {"caller_id", "u32"},
                                   {"dev_info", "struct dev_printk_info"}});
  types.add_struct("prb_data_blk_lpos",
                   {{"begin", "long unsigned int"}, {"next", "long unsigned int"}});
  types.add_struct("prb_desc",
                   {{"state_var", "atomic_long_t"}, {"text_blk_lpos", "struct prb_data_blk_lpos"}});
  types.add_struct("prb_data_block", {{"id", "long unsigned int"}, {"data", "char[0]"}});
  types.add_struct("prb_desc_ring", {{"count_bits", "unsigned int"},
                                     {"descs", "struct prb_desc *"},
                                     {"infos", "struct printk_info *"},
                                     {"head_id", "atomic_long_t"},
                                     {"tail_id", "atomic_long_t"}});
  types.add_struct("prb_data_ring", {{"size_bits", "unsigned int"},
                                     {"data", "char *"},
                                     {"head_lpos", "atomic_long_t"},
                                     {"tail_lpos", "atomic_long_t"}});
  types.add_struct("printk_ringbuffer", {{"desc_ring", "struct prb_desc_ring"},
                                         {"text_data_ring", "struct prb_data_ring"},
                                         {"fail", "atomic_long_t"}});
}

void add_modules(Types& types, ModuleMemory memory) {
  types.add_struct("mod_arch_specific", {{"num_orcs", "unsigned int"},
                                         {"orc_unwind_ip", "int *"},
                                         {"orc_unwind", "struct orc_entry *"}});
  types.add_struct("mod_kallsyms", {{"symtab", "void *"},
                                    {"num_symtab", "unsigned int"},
                                    {"strtab", "char *"},
                                    {"typetab", "char *"}});
  types.add_struct("kernel_param", {{"name", "char *"},
                                    {"mod", "struct module *"},
                                    {"ops", "void *"},
                                    {"perm", "u16"},
                                    {"arg", "void *"}});
  types.add_struct("module_use", {{"source_list", "struct list_head"},
                                  {"target_list", "struct list_head"},
                                  {"source", "struct module *"},
                                  {"target", "struct module *"}});
  std::vector<Field> fields{{"state", "int"},
                            {"list", "struct list_head"},
                            {"name", "char[56]"},
                            {"kp", "struct kernel_param *"},
                            {"num_kp", "unsigned int"},
                            {"init", "void *"},
                            {"arch", "struct mod_arch_specific"},
                            {"taints", "long unsigned int"},
                            {"kallsyms", "struct mod_kallsyms *"},
                            {"source_list", "struct list_head"},
                            {"target_list", "struct list_head"},
                            {"exit", "void *"},
                            {"refcnt", "atomic_t"}};
  if (memory == ModuleMemory::several) {
    types.add_struct("module_memory", {{"base", "void *"}, {"size", "unsigned int"}});
    fields.push_back({"mem", "struct module_memory[7]"});
  } else {
    types.add_struct("module_layout",
                     {{"base", "void *"}, {"size", "unsigned int"}, {"text_size", "unsigned int"}});
    fields.push_back({"core_layout", "struct module_layout"});
    fields.push_back({"init_layout", "struct module_layout"});
  }
  types.add_spread("module", fields, 1024, 0, 1024);
}

// As the kernel's own, but that what it packs into bits has bytes of its own.
void add_stacks(Types& types, UnwindRules rules) {
  types.add_struct("thread_struct", {{"sp", "long unsigned int"},
                                     {"fsbase", "long unsigned int"},
                                     {"gsbase", "long unsigned int"}});
  types.add_struct("inactive_task_frame", {{"bx", "long unsigned int"},
                                           {"bp", "long unsigned int"},
                                           {"ret_addr", "long unsigned int"}});
  std::vector<Field> registers;
  for (const char* name :
       {"r15", "r14", "r13", "r12", "bp",      "bx", "r11", "r10",   "r9", "r8", "ax",
        "cx",  "dx",  "si",  "di",  "orig_ax", "ip", "cs",  "flags", "sp", "ss"})
    registers.push_back({name, "long unsigned int"});
  types.add_struct("pt_regs", registers);
  std::vector<Field> entry{{"sp_offset", "s16"}, {"bp_offset", "s16"}, {"sp_reg", "u8"},
                           {"bp_reg", "u8"},     {"type", "u8"},       {"signal", "u8"}};
  if (rules == UnwindRules::with_end_bit) entry.back().name = "end";
  types.add_struct("orc_entry", entry);
}

// Lists of directory entries and times of inodes as in older kernels, or as in newer ones.
void add_directories(Types& types, bool older) {
  types.add_struct("hlist_head", {{"first", "void *"}});
  types.add_struct("hlist_node", {{"next", "void *"}, {"pprev", "void *"}});
  std::vector<Field> entry{{"d_hash", "struct hlist_bl_node"},  {"d_parent", "struct dentry *"},
                           {"d_name", "struct qstr"},           {"d_inode", "struct inode *"},
                           {"d_children", "struct hlist_head"}, {"d_sib", "struct hlist_node"}};
  std::vector<Field> inode{{"i_mode", "u16"},
                           {"i_uid", "kuid_t"},
                           {"i_gid", "kgid_t"},
                           {"i_sb", "struct super_block *"},
                           {"i_mapping", "struct address_space *"},
                           {"i_data", "struct address_space"},
                           {"i_ino", "long unsigned int"},
                           {"i_nlink", "u32"},
                           {"i_rdev", "u32"},
                           {"i_size", "s64"},
                           {"i_sb_list", "struct list_head"},
                           {"i_fop", "void *"},
                           {"i_link", "char *"},
                           {"i_private", "void *"}};
  if (older) {
    entry[4] = {"d_subdirs", "struct list_head"};
    entry[5] = {"d_child", "struct list_head"};
    inode.push_back({"i_mtime", "struct timespec64"});
  } else {
    inode.push_back({"i_mtime_sec", "s64"});
    inode.push_back({"i_mtime_nsec", "u32"});
  }
  types.add_spread("dentry", entry, 192, 0, 192);
  types.add_struct("xarray", {{"xa_lock", "u32"}, {"xa_flags", "u32"}, {"xa_head", "void *"}});
  types.add_struct("xa_node", {{"shift", "unsigned char"},
                               {"offset", "unsigned char"},
                               {"parent", "struct xa_node *"},
                               {"slots", "long unsigned int[64]"}});
  types.add_struct(
      "address_space",
      {{"host", "struct inode *"}, {"i_pages", "struct xarray"}, {"nrpages", "long unsigned int"}});
  types.add_spread("inode", inode, 600, 0, 600);
}

void add_files(Types& types, bool older) {
  types.add_struct("qstr", {{"hash", "u32"}, {"len", "u32"}, {"name", "char *"}});
  types.add_struct("hlist_bl_node", {{"next", "void *"}, {"pprev", "void *"}});
  add_directories(types, older);
  types.add_struct("file_system_type", {{"name", "char *"}});
  types.add_spread("super_block",
                   {{"s_dev", "u32"},
                    {"s_flags", "long unsigned int"},
                    {"s_type", "struct file_system_type *"},
                    {"s_subtype", "char *"},
                    {"s_inodes", "struct list_head"}},
                   1024, 0, 512);
  types.add_struct(
      "vfsmount",
      {{"mnt_root", "struct dentry *"}, {"mnt_sb", "struct super_block *"}, {"mnt_flags", "int"}});
  types.add_spread("mount",
                   {{"mnt_parent", "struct mount *"},
                    {"mnt_mountpoint", "struct dentry *"},
                    {"mnt", "struct vfsmount"},
                    {"mnt_mounts", "struct list_head"},
                    {"mnt_child", "struct list_head"},
                    {"mnt_devname", "char *"},
                    {"mnt_id", "int"}},
                   320, 0, 320);
  types.add_struct("path", {{"mnt", "struct vfsmount *"}, {"dentry", "struct dentry *"}});
  types.add_spread("file",
                   {{"f_path", "struct path"},
                    {"f_inode", "struct inode *"},
                    {"f_op", "void *"},
                    {"private_data", "void *"},
                    {"f_flags", "u32"},
                    {"f_pos", "s64"}},
                   232, 0, 232);
  types.add_struct(
      "fdtable",
      {{"max_fds", "u32"}, {"fd", "void *"}, {"close_on_exec", "void *"}, {"open_fds", "void *"}});
  types.add_spread("files_struct", {{"fdt", "struct fdtable *"}, {"file_lock", "spinlock_t"}}, 704,
                   0, 128);
  types.add_struct(
      "fs_struct",
      {{"users", "int"}, {"lock", "spinlock_t"}, {"root", "struct path"}, {"pwd", "struct path"}});
  types.add_struct("ns_common", {{"stashed", "void *"}, {"ops", "void *"}, {"inum", "u32"}});
  types.add_struct("proc_ns_operations", {{"name", "char *"}});
  types.add_struct("pid_namespace", {{"ns", "struct ns_common"}});
  types.add_struct("user_namespace", {{"ns", "struct ns_common"}});
  types.add_struct("mnt_namespace", {{"ns", "struct ns_common"}, {"root", "struct mount *"}});
  types.add_struct("nsproxy", {{"uts_ns", "void *"}, {"mnt_ns", "struct mnt_namespace *"}});
}

// include/linux/maple_tree.h; what lies over each other there does so here.
void add_maple_tree(Types& types) {
  types.add_struct("maple_tree",
                   {{"ma_lock", "u32"}, {"ma_flags", "unsigned int"}, {"ma_root", "void *"}});
  types.add_struct("maple_metadata", {{"end", "u8"}, {"gap", "u8"}});
  types.add_spread("maple_range_64",
                   {{"parent", "void *", 0},
                    {"pivot", "long unsigned int[15]", 8},
                    {"slot", "void *[16]", 128},
                    {"meta", "struct maple_metadata", 248}},
                   256, 0, 0);
  types.add_spread("maple_arange_64",
                   {{"parent", "void *", 0},
                    {"pivot", "long unsigned int[9]", 8},
                    {"slot", "void *[10]", 80},
                    {"gap", "long unsigned int[10]", 160},
                    {"meta", "struct maple_metadata", 240}},
                   248, 0, 0);
  types.add_spread("maple_node", {{"parent", "void *", 0}, {"slot", "void *[31]", 8}}, 256, 0, 0);
}

void add_regions(Types& types, RegionHome regions) {
  std::vector<Field> fields{{"vm_start", "long unsigned int"},  {"vm_end", "long unsigned int"},
                            {"vm_mm", "struct mm_struct *"},    {"vm_flags", "long unsigned int"},
                            {"shared", "long unsigned int[4]"}, {"vm_ops", "void *"},
                            {"vm_pgoff", "long unsigned int"},  {"vm_file", "struct file *"},
                            {"vm_private_data", "void *"}};
  if (regions == RegionHome::list)
    fields.push_back({"vm_next", "struct vm_area_struct *"});
  else
    fields.push_back({"anon_name", "struct anon_vma_name *"});
  types.add_spread("vm_area_struct", fields, 192, 0, 192);
  types.add_struct("anon_vma_name", {{"kref", "refcount_t"}, {"name", "char[0]"}});
  types.add_struct("vm_special_mapping", {{"name", "char *"}, {"pages", "void *"}});
  types.add_struct("<mm_context_t>", {{"ctx_id", "u64"}, {"flags", "long unsigned int"}});
  types.add_typedef("mm_context_t", "struct <mm_context_t>");
}

// What the columns of processes need that are collected on demand.
void add_details(Types& types) {
  types.add_struct("sched_entity", {{"on_rq", "char"}, {"sum_exec_runtime", "u64"}});
  types.add_struct("prev_cputime", {{"utime", "u64"}, {"stime", "u64"}});
  types.add_struct("seccomp", {{"mode", "int"}});
  types.add_struct("kernfs_node",
                   {{"count", "int"}, {"__parent", "struct kernfs_node *"}, {"name", "char *"}});
  types.add_struct("cgroup_subsys_state", {{"id", "int"}, {"flags", "u32"}});
  types.add_struct("cgroup",
                   {{"self", "struct cgroup_subsys_state"}, {"kn", "struct kernfs_node *"}});
  types.add_struct("css_set", {{"refs", "int"}, {"dfl_cgrp", "struct cgroup *"}});
  types.add_struct("tty_struct", {{"index", "int"}, {"name", "char[64]"}});
}

// What statistics of memory need.
void add_memory(Types& types) {
  types.add_struct(
      "zone", {{"_watermark", "long unsigned int[4]"}, {"watermark_boost", "long unsigned int"}});
  types.add_struct("pglist_data", {{"node_zones", "struct zone[5]"}, {"nr_zones", "int"}});
  types.add_anonymous_enum({{"NR_FREE_PAGES", 0}, {"NR_MLOCK", 8}});
  types.add_anonymous_enum({{"NR_ACTIVE_ANON", 1},
                            {"NR_INACTIVE_FILE", 2},
                            {"NR_ACTIVE_FILE", 3},
                            {"NR_FILE_PAGES", 19},
                            {"NR_SLAB_RECLAIMABLE_B", 5}});
}

// include/linux/{irq,irqdesc,interrupt}.h and arch/x86/include/asm/hardirq.h.
void add_interrupts(Types& types, bool counters_in_array) {
  types.add_struct("irq_chip", {{"irq_ack", "void *"}, {"name", "char *"}});
  types.add_struct("irq_common_data", {{"node", "u32"}, {"state_use_accessors", "unsigned int"}});
  types.add_struct("irq_data", {{"irq", "unsigned int"},
                                {"hwirq", "long unsigned int"},
                                {"chip", "struct irq_chip *"},
                                {"domain", "void *"}});
  types.add_struct("irqaction",
                   {{"handler", "void *"}, {"next", "struct irqaction *"}, {"name", "char *"}});
  types.add_struct("irqstat", {{"ref", "unsigned int"}, {"cnt", "unsigned int"}});
  types.add_spread("irq_desc",
                   {{"irq_common_data", "struct irq_common_data"},
                    {"irq_data", "struct irq_data"},
                    {"kstat_irqs", "struct irqstat *"},
                    {"action", "struct irqaction *"}},
                   256, 0, 256);
  types.add_anonymous_enum({{"IRQD_LEVEL", 1 << 13}});
  if (counters_in_array) {
    types.add_struct("<irq_cpustat_t>", {{"counts", "unsigned int[3]"}});
    types.add_struct("irq_stat_info",
                     {{"skip_vector", "u32"}, {"symbol", "char *"}, {"text", "char *"}});
  } else {
    types.add_struct("<irq_cpustat_t>",
                     {{"__nmi_count", "unsigned int"}, {"apic_timer_irqs", "unsigned int"}});
  }
  types.add_typedef("irq_cpustat_t", "struct <irq_cpustat_t>");
}

// mm/slab.h and mm/slub.c, but that what it packs into bits has bytes of its own.
void add_slabs(Types& types, bool nodes_in_pairs) {
  types.add_struct("kmem_cache_order_objects", {{"x", "unsigned int"}});
  types.add_struct("kmem_cache_node", {{"list_lock", "spinlock_t"},
                                       {"nr_partial", "long unsigned int"},
                                       {"partial", "struct list_head"},
                                       {"nr_slabs", "atomic_long_t"},
                                       {"total_objects", "atomic_long_t"}});
  types.add_struct("kmem_cache_per_node_ptrs",
                   {{"barn", "void *"}, {"node", "struct kmem_cache_node *"}});
  types.add_spread("kmem_cache",
                   {{"size", "unsigned int"},
                    {"oo", "struct kmem_cache_order_objects"},
                    {"name", "char *"},
                    {"list", "struct list_head"},
                    nodes_in_pairs ? Field{"per_node", "struct kmem_cache_per_node_ptrs[4]"}
                                   : Field{"node", "struct kmem_cache_node *[4]"}},
                   256, 0, 256);
  types.add_struct("slab", {{"flags", "long unsigned int"},
                            {"slab_cache", "struct kmem_cache *"},
                            {"slab_list", "struct list_head"},
                            {"inuse", "u16"},
                            {"objects", "u16"}});
}

void add_task(Types& types) {
  types.add_struct("upid", {{"nr", "int"}, {"ns", "struct pid_namespace *"}});
  types.add_struct("pid", {{"count", "refcount_t"},
                           {"level", "unsigned int"},
                           {"tasks", "void *[4]"},
                           {"numbers", "struct upid[2]"}});
  types.add_struct("thread_info", {{"flags", "long unsigned int"},
                                   {"syscall_work", "long unsigned int"},
                                   {"status", "u32"},
                                   {"cpu", "u32"}});
  types.add_spread("task_struct",
                   {{"thread_info", "struct thread_info", 0},
                    {"__state", "unsigned int"},
                    {"stack", "void *"},
                    {"on_cpu", "int"},
                    {"thread", "struct thread_struct"},
                    {"usage", "refcount_t"},
                    {"flags", "unsigned int"},
                    {"policy", "unsigned int"},
                    {"se", "struct sched_entity"},
                    {"tasks", "struct list_head"},
                    {"mm", "struct mm_struct *"},
                    {"active_mm", "struct mm_struct *"},
                    {"exit_state", "int"},
                    {"exit_code", "int"},
                    {"pid", "pid_t"},
                    {"tgid", "pid_t"},
                    {"real_parent", "struct task_struct *"},
                    {"parent", "struct task_struct *"},
                    {"children", "struct list_head"},
                    {"sibling", "struct list_head"},
                    {"group_leader", "struct task_struct *"},
                    {"thread_node", "struct list_head"},
                    {"worker_private", "void *"},
                    {"thread_pid", "void *"},
                    {"start_time", "u64"},
                    {"start_boottime", "u64"},
                    {"real_cred", "struct cred *"},
                    {"cred", "struct cred *"},
                    {"comm", "char[16]"},
                    {"files", "struct files_struct *"},
                    {"fs", "struct fs_struct *"},
                    {"nsproxy", "struct nsproxy *"},
                    {"alloc_lock", "spinlock_t"},
                    {"on_rq", "int"},
                    {"prio", "int"},
                    {"static_prio", "int"},
                    {"rt_priority", "unsigned int"},
                    {"se", "struct sched_entity"},
                    {"utime", "u64"},
                    {"stime", "u64"},
                    {"prev_cputime", "struct prev_cputime"},
                    {"thread_pid", "struct pid *"},
                    {"pid_links", "struct list_head[4]"},
                    {"cgroups", "struct css_set *"},
                    {"seccomp", "struct seccomp"},
                    {"atomic_flags", "long unsigned int"},
                    {"signal", "struct signal_struct *"}},
                   9280, 0x18, 0xc00);
}

void add_what_tasks_share(Types& types, RssLayout rss, RegionHome regions) {
  types.add_spread("signal_struct",
                   {{"sigcnt", "refcount_t"},
                    {"live", "atomic_t"},
                    {"nr_threads", "int"},
                    {"thread_head", "struct list_head"},
                    {"sum_sched_runtime", "u64"},
                    {"utime", "u64"},
                    {"stime", "u64"},
                    {"prev_cputime", "struct prev_cputime"},
                    {"tty", "struct tty_struct *"},
                    {"group_exit_code", "int"}},
                   1088, 0, 0x100);
  types.add_spread("cred",
                   {{"usage", "atomic_long_t"},
                    {"uid", "kuid_t"},
                    {"gid", "kgid_t"},
                    {"suid", "kuid_t"},
                    {"sgid", "kgid_t"},
                    {"euid", "kuid_t"},
                    {"egid", "kgid_t"},
                    {"cap_inheritable", "u64"},
                    {"cap_permitted", "u64"},
                    {"cap_effective", "u64"},
                    {"cap_bset", "u64"},
                    {"cap_ambient", "u64"},
                    {"user_ns", "struct user_namespace *"}},
                   176, 0, 0xb0);
  std::string rss_type = "struct mm_rss_stat";
  if (rss == RssLayout::atomic_counters) {
    types.add_struct("mm_rss_stat", {{"count", "atomic_long_t[4]"}});
  } else {
    types.add_struct("percpu_counter", {{"lock", "unsigned int"},
                                        {"count", "s64"},
                                        {"list", "struct list_head"},
                                        {"counters", "s32 *"}});
    rss_type = "struct percpu_counter[4]";
  }
  types.add_spread("<mm_struct>",
                   {regions == RegionHome::tree ? Field{"mm_mt", "struct maple_tree"}
                                                : Field{"mmap", "struct vm_area_struct *"},
                    {"pgd", "pgd_t *"},
                    {"mm_users", "atomic_t"},
                    {"mm_count", "atomic_t"},
                    {"map_count", "int"},
                    {"mmap_lock", "struct rw_semaphore"},
                    {"total_vm", "long unsigned int"},
                    {"start_brk", "long unsigned int"},
                    {"brk", "long unsigned int"},
                    {"start_stack", "long unsigned int"},
                    {"context", "mm_context_t"},
                    {"arg_start", "long unsigned int"},
                    {"arg_end", "long unsigned int"},
                    {"env_start", "long unsigned int"},
                    {"env_end", "long unsigned int"},
                    {"saved_auxv", "long unsigned int[52]"},
                    {"rss_stat", rss_type},
                    {"exe_file", "struct file *"},
                    {"mmap_lock", "struct rw_semaphore"},
                    {"arg_lock", "spinlock_t"},
                    {"owner", "struct task_struct *"}},
                   1216, 0x40, 0x480);
  types.add_struct("mm_struct",
                   {{"", "struct <mm_struct>"}, {"cpu_bitmap", "long unsigned int[1]"}});
  types.add_anonymous_enum({{"MM_FILEPAGES", file_pages},
                            {"MM_ANONPAGES", anonymous_pages},
                            {"MM_SWAPENTS", swap_entries},
                            {"MM_SHMEMPAGES", shmem_pages},
                            {"NR_MM_COUNTERS", 4}});
}

// include/linux/mm_types.h; the members of a folio lie over those of its first two pages.
void add_pages(Types& types, PageTypes pages) {
  std::string flags = "long unsigned int";
  if (pages == PageTypes::byte) {
    types.add_struct("<memdesc_flags_t>", {{"f", "long unsigned int"}});
    types.add_typedef("memdesc_flags_t", "struct <memdesc_flags_t>");
    flags = "memdesc_flags_t";
  }
  const bool typed = pages != PageTypes::map_count;
  types.add_struct("page",
                   {{"flags", flags},
                    {"lru", "struct list_head"},
                    {"mapping", "void *"},
                    {"index", "long unsigned int"},
                    {"private", "long unsigned int"},
                    {typed ? "page_type" : "_mapcount", typed ? "unsigned int" : "atomic_t"},
                    {"_refcount", "atomic_t"},
                    {"memcg_data", "long unsigned int"}});
  types.add_struct("folio",
                   {{"page", "struct page"},
                    {"_flags_1", "long unsigned int"},
                    {"_head_1", "long unsigned int"},
                    {pages == PageTypes::byte ? "_nr_pages" : "_folio_nr_pages", "unsigned int"}});
  types.add_anonymous_enum(page_flags(pages));
}

// include/linux/wait.h and kernel/exit.h.
void add_wait_queues(Types& types) {
  types.add_struct("wait_queue_entry", {{"flags", "unsigned int"},
                                        {"private", "void *"},
                                        {"func", "void *"},
                                        {"entry", "struct list_head"}});
  types.add_struct("wait_queue_head", {{"lock", "u32"}, {"head", "struct list_head"}});
  types.add_struct("wait_opts", {{"wo_type", "u32"},
                                 {"wo_flags", "int"},
                                 {"wo_pid", "void *"},
                                 {"child_wait", "struct wait_queue_entry"}});
}

}  // namespace

std::vector<std::pair<std::string, int>> page_flags(PageTypes pages) {
  if (pages == PageTypes::byte)
    return {{"PG_locked", 0},   {"PG_writeback", 1},   {"PG_uptodate", 3},
            {"PG_dirty", 4},    {"PG_lru", 5},         {"PG_head", 6},
            {"PG_private", 14}, {"PG_swapbacked", 17}, {"PG_unevictable", 18}};
  return {{"PG_locked", 0}, {"PG_uptodate", 2},    {"PG_dirty", 3},
          {"PG_lru", 4},    {"PG_private", 13},    {"PG_writeback", 15},
          {"PG_head", 16},  {"PG_swapbacked", 19}, {"PG_unevictable", 20}};
}

Types kernel_types(RssLayout rss, TimekeeperHome timekeeper, unsigned shuffle_seed, PageTypes pages,
                   ModuleMemory modules, UnwindRules rules, RegionHome regions, LockLists lists,
                   LockForms locks) {
  Types types(shuffle_seed);
  add_scalars(types);
  add_locks(types, locks, lists);
  add_names(types);
  add_timekeeping(types, timekeeper);
  add_log(types);
  add_modules(types, modules);
  add_stacks(types, rules);
  add_files(types, modules == ModuleMemory::layouts);
  add_network(types);
  add_details(types);
  add_memory(types);
  add_interrupts(types, pages == PageTypes::byte);
  add_slabs(types, pages == PageTypes::byte);
  add_wait_queues(types);
  add_task(types);
  add_maple_tree(types);
  add_regions(types, regions);
  add_what_tasks_share(types, rss, regions);
  add_pages(types, pages);
  return types;
}

}  // namespace vitrine::synthetic
