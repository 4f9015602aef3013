// Where the fields of a process are in this guest's own structures.
#include <algorithm>
#include <array>

#include "vitrine/kernel/code.h"
#include "vitrine/paging/walked_memory.h"
#include "vitrine/views/per_cpu.h"
#include "vitrine/views/processes.h"
#include "vitrine/views/resolver.h"

namespace vitrine::views {
namespace {

using base::Code;
using base::fail;

}  // namespace

base::Result<Processes::Fields> Processes::resolve(const kernel::Kernel& kernel,
                                                   base::GuestVirtual init_task) {
  Resolver at(kernel.types);
  Fields fields;
  fields.init_task = init_task;
  fields.page_bytes = kernel.vmcoreinfo.page_size().value_or(fields.page_bytes);
  fields.state = at("task_struct", {"__state", "state"});  // renamed in 5.14, 2f064a59a11f
  fields.flags = at("task_struct", "flags");
  fields.tasks = at("task_struct", "tasks");
  fields.mm = at("task_struct", "mm");
  fields.exit_state = at("task_struct", "exit_state");
  fields.pid = at("task_struct", "pid");
  fields.tgid = at("task_struct", "tgid");
  fields.real_parent = at("task_struct", "real_parent");
  fields.thread_node = at("task_struct", "thread_node");
  fields.start_boottime = at("task_struct", "start_boottime");
  fields.real_cred = at("task_struct", "real_cred");
  fields.comm = at("task_struct", "comm");
  fields.signal = at("task_struct", "signal");
  const auto all = {
      fields.state,     fields.flags, fields.tasks,       fields.mm,          fields.exit_state,
      fields.pid,       fields.tgid,  fields.real_parent, fields.thread_node, fields.start_boottime,
      fields.real_cred, fields.comm,  fields.signal};
  fields.task_low = std::min(all);
  fields.task_high = std::max(all) + 16;  // the widest field, comm
  fields.nr_threads = at("signal_struct", "nr_threads");
  fields.thread_head = at("signal_struct", "thread_head");
  fields.uid = at("cred", "uid.val");
  fields.gid = at("cred", "gid.val");
  fields.task_lock = at("task_struct", "alloc_lock");
  fields.map_lock = at("mm_struct", {"mmap_lock", "mmap_sem"});  // renamed in 5.8, da1c55f1b272
  fields.argument_lock = at("mm_struct", "arg_lock");
  constexpr std::array<std::string_view, 3> kCounters{"MM_FILEPAGES", "MM_ANONPAGES",
                                                      "MM_SHMEMPAGES"};
  for (std::size_t kind = 0; kind < kCounters.size(); ++kind) {
    const auto number = kernel.types.enum_value("", kCounters[kind]);
    if (!number) return fail(number.error());
    const std::string index = "[" + std::to_string(*number) + "]";
    // An array of atomics until 6.2, then one of percpu_counters (f1a7941243c1).
    fields.rss[kind] = at("mm_struct", {"rss_stat" + index + ".count", "rss_stat.count" + index});
    if (kernel.types.has_member("mm_struct", "rss_stat" + index + ".counters"))
      fields.rss_per_cpu[kind] = at("mm_struct", "rss_stat" + index + ".counters");
  }
  fields.cred_high = std::max(fields.uid, fields.gid) + 4;
  fields.mm_high = std::max(std::ranges::max(fields.rss), std::ranges::max(fields.rss_per_cpu)) + 8;
  if (at.error()) return fail(*at.error());
  return fields;
}

base::Result<std::unique_ptr<View>> Processes::attach(const kernel::Kernel& kernel,
                                                      memory::PhysicalMemory& memory,
                                                      const ProcessOptions& options) {
  const auto init_task = kernel.symbols.find("init_task");
  if (!init_task)
    return fail(Code::unsupported,
                "nothing in this kernel tells where its tasks begin: its kallsyms does not name "
                "init_task, nor does it export it to modules",
                "the guest's kernel needs CONFIG_KALLSYMS_ALL or CONFIG_MODULES");
  auto fields = resolve(kernel, *init_task);
  if (!fields) return fail(fields.error());
  paging::WalkedMemory walked(*kernel.space.format, kernel.space.root, memory);
  std::vector<std::uint64_t> cpu_offsets;
  // /proc/PID/statm took the global count alone until 6.16, and adds the CPUs' parts since then
  // (82241a83cd15, also backported): the kernel's own code tells which.
  if (fields->rss_per_cpu[0] != 0)
    fields->rss_sums_cpus = kernel::calls(walked, kernel.architecture, kernel.symbols, "task_statm",
                                          "__percpu_counter_sum")
                                .value_or(false);
  if (fields->rss_sums_cpus) {
    const auto cpus = PerCpu::attach(kernel, memory);
    if (!cpus) return fail(cpus.error());
    cpu_offsets = cpus->offsets();
  }
  Resolver at(kernel.types);
  const UserStrings strings = UserStrings::attach(at);
  if (at.error()) return fail(*at.error());
  return std::unique_ptr<View>(new Processes(*fields, strings, std::move(cpu_offsets), options));
}

}  // namespace vitrine::views
