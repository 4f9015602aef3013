#include "vitrine/views/process_details.h"

#include <fmt/format.h>

#include <algorithm>

namespace vitrine::views {
namespace {

using base::kPage;

constexpr Column on_demand(std::string_view name, Type type, std::string_view description,
                           bool statistic = false, std::string_view heading = {}) {
  return {name, type, description, statistic, heading, true};
}

// SCHED_* of include/uapi/linux/sched.h.
std::string policy_name(std::uint32_t policy) {
  constexpr std::array<std::string_view, 8> kNames{"SCHED_OTHER",    "SCHED_FIFO", "SCHED_RR",
                                                   "SCHED_BATCH",    "",           "SCHED_IDLE",
                                                   "SCHED_DEADLINE", "SCHED_EXT"};
  if (policy < kNames.size() && !kNames.at(policy).empty()) return std::string(kNames.at(policy));
  return std::to_string(policy);
}

// SECCOMP_MODE_* of include/uapi/linux/seccomp.h; what has no name the kernel has for itself.
std::string seccomp_name(std::uint32_t mode) {
  constexpr std::array<std::string_view, 4> kNames{"disabled", "strict", "filter", "dead"};
  return mode < kNames.size() ? std::string(kNames.at(mode)) : std::to_string(mode);
}

// Pseudo-terminals are named pts0 in the kernel, and pts/0 among devices.
std::string terminal_name(std::string name) {
  constexpr std::string_view kPseudo = "pts";
  const bool numbered = name.size() > kPseudo.size() && name.starts_with(kPseudo) &&
                        name.find_first_not_of("0123456789", kPseudo.size()) == std::string::npos;
  if (numbered) name.insert(kPseudo.size(), "/");
  return name;
}

}  // namespace

constinit const std::array<Column, ProcessDetails::kColumns> ProcessDetails::kColumnDeclarations{{
    on_demand("nice", Type::integer, "how nice it is to others: -20 to 19"),
    on_demand("priority", Type::integer,
              "priority as the scheduler sees it, the lower the sooner: 0 to 39, below 0 for real "
              "time, as field 18 of /proc/PID/stat"),
    on_demand("policy", Type::text,
              "how it is scheduled: SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE, "
              "SCHED_DEADLINE or SCHED_EXT"),
    on_demand("rt_priority", Type::integer, "real-time priority, 1 to 99; 0 where it has none"),
    on_demand("cpu", Type::integer, "the CPU that it runs on, or ran on last", true, "PSR"),
    on_demand(
        "cpu_ns", Type::nanoseconds,
        "processor time used, in nanoseconds: of all threads of the process, those that ended "
        "included; of the thread alone where threads are listed",
        true, "TIME"),
    on_demand("utime_ns", Type::nanoseconds, "of it in user mode, as /proc/PID/stat scales it",
              true),
    on_demand("stime_ns", Type::nanoseconds, "of it in the kernel, as /proc/PID/stat scales it",
              true),
    on_demand("vsz_bytes", Type::bytes, "virtual memory in bytes", true),
    on_demand("swap_bytes", Type::bytes, "anonymous memory swapped out, in bytes: VmSwap", true),
    on_demand("cgroup", Type::text,
              "path of its control group in the unified hierarchy, as a process in the initial "
              "cgroup namespace sees it"),
    on_demand("cgroup_ns", Type::integer, "number of its cgroup namespace"),
    on_demand("ipc_ns", Type::integer, "number of its IPC namespace"),
    on_demand("mnt_ns", Type::integer, "number of its mount namespace"),
    on_demand("net_ns", Type::integer, "number of its network namespace"),
    on_demand("pid_ns", Type::integer, "number of the innermost PID namespace that it is in"),
    on_demand("time_ns", Type::integer, "number of its time namespace", false, "TIME_NS"),
    on_demand("user_ns", Type::integer, "number of its user namespace", false, "USER_NS"),
    on_demand("uts_ns", Type::integer, "number of its UTS namespace", false, "UTS_NS"),
    on_demand("tty", Type::text, "its controlling terminal, e.g. ttyS0 or pts/0"),
    on_demand("cap_effective", Type::text, "capabilities that count, 16 hexadecimal digits"),
    on_demand("cap_permitted", Type::text, "capabilities that it may make effective"),
    on_demand("cap_inheritable", Type::text, "capabilities that it may pass on to programs"),
    on_demand("cap_bounding", Type::text, "capabilities beyond which it can't get any"),
    on_demand("cap_ambient", Type::text, "capabilities that it passes on to any program"),
    on_demand("seccomp", Type::text,
              "what restricts its system calls: disabled (nothing), strict or filter; dead once it "
              "has broken the rules"),
    on_demand("no_new_privs", Type::boolean, "whether execve can't give it any more rights"),
    on_demand("wchan", Type::text,
              "the function of the kernel that it waits in, as /proc/PID/wchan; null where it does "
              "not wait"),
}};

constinit const std::array<unsigned, ProcessDetails::kGroups + 1> ProcessDetails::kGroupBegins{
    kNice,    kCpuTime,         kVirtualSize, kCgroup, kFirstNamespace, kTty, kFirstCapability,
    kSeccomp, kNoNewPrivileges, kWaitChannel, kColumns};

std::span<const Column> ProcessDetails::declared_columns() { return kColumnDeclarations; }

void ProcessDetails::put(const Reader& reader, Row& row, unsigned column, bool readable,
                         Value value) {
  if (readable)
    row.values[column] = std::move(value);
  else
    row.errors.push_back({kColumnDeclarations.at(column).name, base::Code::unreadable,
                          std::string(paging::name(reader.fault()))});
}

void ProcessDetails::put_error(Row& row, unsigned column, base::Code code, std::string message) {
  row.errors.push_back({kColumnDeclarations.at(column).name, code, std::move(message)});
}

std::unique_ptr<ProcessDetails> ProcessDetails::attach(const kernel::Kernel& kernel,
                                                       memory::PhysicalMemory& memory,
                                                       std::span<const std::string_view> wanted,
                                                       std::vector<std::uint64_t> cpu_offsets) {
  std::unique_ptr<ProcessDetails> details(new ProcessDetails);
  details->cpu_offsets_ = std::move(cpu_offsets);
  bool any = false;
  for (unsigned group = 0; group < kGroups; ++group) {
    for (unsigned i = kGroupBegins.at(group); i < kGroupBegins.at(group + 1); ++i)
      if (std::ranges::find(wanted, kColumnDeclarations.at(i).name) != wanted.end())
        details->wanted_.at(group) = true;
    if (details->wanted_.at(group)) details->resolve(kernel, memory, static_cast<Group>(group));
    any = any || details->wanted_.at(group);
  }
  if (!any) return nullptr;
  return details;
}

// A kernel may be built without control groups or seccomp: no process has any then.
void ProcessDetails::resolve(const kernel::Kernel& kernel, memory::PhysicalMemory& physical,
                             Group group) {
  const kernel::TypeLookup& types = kernel.types;
  Resolver at(types);
  switch (group) {
    case scheduling:
      resolve_scheduling(types, at);
      break;
    case times:
      times_ = CpuTimeReader::attach(at);
      break;
    case memory:
      resolve_memory(types, at);
      break;
    case cgroup:
      wanted_.at(group) = types.has_member("task_struct", "cgroups");
      if (wanted_.at(group)) cgroups_ = CgroupPaths::attach(at);
      break;
    case namespaces:
      namespaces_ = NamespaceReader::attach(types, at);
      break;
    case terminal:
      fields_.signal = at("task_struct", "signal");
      fields_.tty = at("signal_struct", "tty");
      fields_.tty_name = at("tty_struct", "name");
      break;
    case capabilities:
      resolve_rights(at);
      break;
    case seccomp:
      wanted_.at(group) = types.has_member("task_struct", "seccomp.mode");
      if (wanted_.at(group)) fields_.seccomp_mode = at("task_struct", "seccomp.mode");
      break;
    case privileges:
      fields_.atomic_flags = at("task_struct", "atomic_flags");
      break;
    case waiting:
      if (auto channel = WaitChannel::attach(kernel, physical))
        wait_channel_.emplace(std::move(*channel));
      else
        missing_.at(group) = channel.error();
      break;
    case kGroups:
      break;
  }
  if (at.error()) missing_.at(group) = at.error();
}

void ProcessDetails::resolve_scheduling(const kernel::TypeLookup& types, Resolver& at) {
  fields_.static_priority = at("task_struct", "static_prio");
  fields_.priority = at("task_struct", "prio");
  fields_.policy = at("task_struct", "policy");
  fields_.rt_priority = at("task_struct", "rt_priority");
  // Back in thread_info since 5.16 (bcf9033e5449); neither in a kernel for one processor.
  if (types.has_member("task_struct", "thread_info.cpu"))
    fields_.cpu = at("task_struct", "thread_info.cpu");
  else if (types.has_member("task_struct", "cpu"))
    fields_.cpu = at("task_struct", "cpu");
}

void ProcessDetails::resolve_memory(const kernel::TypeLookup& types, Resolver& at) {
  fields_.total_vm = at("mm_struct", "total_vm");
  const auto number = types.enum_value("", "MM_SWAPENTS");
  const std::string index = "[" + std::to_string(number ? *number : 2) + "]";
  // An array of atomics until 6.2, then one of percpu_counters (f1a7941243c1).
  fields_.swap = at("mm_struct", {"rss_stat" + index + ".count", "rss_stat.count" + index});
  if (types.has_member("mm_struct", "rss_stat" + index + ".counters"))
    fields_.swap_per_cpu = at("mm_struct", "rss_stat" + index + ".counters");
}

void ProcessDetails::resolve_rights(Resolver& at) {
  // In the order of the columns. Two u32 until 6.3, then a u64 (f122a08b197d): 8 bytes either way.
  constexpr std::array<std::string_view, 5> kNames{"cap_effective", "cap_permitted",
                                                   "cap_inheritable", "cap_bset", "cap_ambient"};
  fields_.cred = at("task_struct", "real_cred");
  for (std::size_t i = 0; i < kNames.size(); ++i)
    fields_.capabilities.at(i) = at("cred", kNames.at(i));
}

void ProcessDetails::collect(Reader& reader, std::span<const Process> processes, bool threads) {
  times_.begin();
  cgroups_.begin();
  if (wait_channel_) wait_channel_->begin(reader);
  rows_.resize(processes.size());
  for (std::size_t i = 0; i < processes.size(); ++i) {
    rows_[i].values.assign(kColumns, Value());
    rows_[i].errors.clear();
    for (unsigned group = 0; group < kGroups; ++group)
      if (wanted_.at(group))
        collect_group(reader, processes[i], static_cast<Group>(group), threads, rows_[i]);
  }
}

void ProcessDetails::collect_group(Reader& reader, const Process& process, Group group,
                                   bool threads, Row& row) {
  if (const auto& missing = missing_.at(group)) {
    for (unsigned i = kGroupBegins.at(group); i < kGroupBegins.at(group + 1U); ++i)
      put_error(row, i, missing->code, missing->message);
    return;
  }
  std::string text;
  std::uint64_t flags = 0;
  switch (group) {
    case scheduling:
      return read_scheduling(reader, process, row);
    case times:
      return read_times(reader, process, threads, row);
    case memory:
      return read_memory(reader, process, row);
    case cgroup:
      if (cgroups_.of_task(reader, process.task, text))
        row.values[kCgroup] = std::move(text);
      else
        put_error(row, kCgroup, base::Code::unreadable,
                  "the path could not be read or does not come to an end");
      return;
    case namespaces:
      return read_namespaces(reader, process, row);
    case terminal:
      return read_terminal(reader, process, row);
    case capabilities:
      return read_capabilities(reader, process, row);
    case seccomp:
      return read_seccomp(reader, process, row);
    case privileges: {
      constexpr std::uint64_t kNoNew = 1;  // PFA_NO_NEW_PRIVS is bit 0
      const bool readable = reader.load(process.task + fields_.atomic_flags, flags);
      return put(reader, row, kNoNewPrivileges, readable, (flags & kNoNew) != 0);
    }
    case waiting:
      return read_wait_channel(reader, process, row);
    case kGroups:
      return;
  }
}

void ProcessDetails::read_scheduling(Reader& reader, const Process& process, Row& row) const {
  constexpr std::int64_t kRealTimePriorities = 100;  // MAX_RT_PRIO, linux/sched/prio.h
  constexpr std::int64_t kDefaultPriority = 120;     // DEFAULT_PRIO
  std::int32_t static_priority = 0;
  std::int32_t priority = 0;
  std::uint32_t policy = 0;
  std::uint32_t rt_priority = 0;
  std::uint32_t cpu = 0;
  const auto read = [&](std::uint32_t offset, auto& to) {
    return reader.load(process.task + offset, to);
  };
  bool readable = read(fields_.static_priority, static_priority);
  put(reader, row, kNice, readable, static_priority - kDefaultPriority);
  readable = read(fields_.priority, priority);
  put(reader, row, kPriority, readable, priority - kRealTimePriorities);
  readable = read(fields_.policy, policy);
  put(reader, row, kPolicy, readable, policy_name(policy));
  readable = read(fields_.rt_priority, rt_priority);
  put(reader, row, kRtPriority, readable, std::uint64_t{rt_priority});
  readable = fields_.cpu == 0 || read(fields_.cpu, cpu);
  put(reader, row, kCpu, readable, std::uint64_t{cpu});
}

void ProcessDetails::read_times(Reader& reader, const Process& process, bool of_thread, Row& row) {
  CpuTimes used;
  const bool readable = of_thread ? times_.of_thread(reader, process.task, used)
                                  : times_.of_process(reader, process.task, used);
  if (!readable) {
    for (const unsigned column : {kCpuTime, kUserTime, kSystemTime})
      put_error(row, column, base::Code::unreadable, "not all threads could be read");
    return;
  }
  row.values[kCpuTime] = used.total;
  row.values[kUserTime] = used.user;
  row.values[kSystemTime] = used.system;
}

void ProcessDetails::read_memory(Reader& reader, const Process& process, Row& row) const {
  if (process.mm.value == 0) {
    row.values[kVirtualSize] = row.values[kSwap] = std::uint64_t{0};
    return;
  }
  std::uint64_t pages = 0;
  std::int64_t swapped = 0;
  const bool sized = reader.load(process.mm + fields_.total_vm, pages);
  put(reader, row, kVirtualSize, sized, pages * kPage);
  bool readable = reader.load(process.mm + fields_.swap, swapped);
  base::GuestVirtual parts;
  if (fields_.swap_per_cpu != 0 && !cpu_offsets_.empty()) {
    readable = readable && reader.load(process.mm + fields_.swap_per_cpu, parts.value);
    for (const std::uint64_t offset : cpu_offsets_) {
      std::int32_t part = 0;
      readable = readable && reader.load(parts + offset, part);
      swapped += part;
    }
  }
  // The kernel's own rule: a counter that is momentarily negative counts as zero.
  put(reader, row, kSwap, readable,
      static_cast<std::uint64_t>(std::max<std::int64_t>(swapped, 0)) * kPage);
}

void ProcessDetails::read_namespaces(Reader& reader, const Process& process, Row& row) const {
  for (unsigned i = 0; i < kNamespaces; ++i) {
    const auto found = namespaces_.of_task(reader, process.task, static_cast<Namespace>(i));
    put(reader, row, kFirstNamespace + i, found.readable,
        found.number ? Value(std::uint64_t{*found.number}) : Value());
  }
}

void ProcessDetails::read_terminal(Reader& reader, const Process& process, Row& row) const {
  constexpr std::size_t kMaxTerminalName = 64;  // tty_struct.name
  base::GuestVirtual signal;
  base::GuestVirtual tty;
  std::string name;
  bool readable = reader.load(process.task + fields_.signal, signal.value) &&
                  reader.load(signal + fields_.tty, tty.value);
  if (readable && tty.value == 0) return;
  readable = readable && load_text(reader, tty + fields_.tty_name, kMaxTerminalName, name);
  put(reader, row, kTty, readable, terminal_name(std::move(name)));
}

void ProcessDetails::read_capabilities(Reader& reader, const Process& process, Row& row) const {
  base::GuestVirtual cred;
  const bool there = reader.load(process.task + fields_.cred, cred.value);
  for (unsigned i = 0; i < fields_.capabilities.size(); ++i) {
    std::uint64_t set = 0;
    const bool readable = there && reader.load(cred + fields_.capabilities.at(i), set);
    put(reader, row, kFirstCapability + i, readable, fmt::format("{:016x}", set));
  }
}

void ProcessDetails::read_seccomp(Reader& reader, const Process& process, Row& row) const {
  std::uint32_t mode = 0;
  const bool readable = reader.load(process.task + fields_.seccomp_mode, mode);
  put(reader, row, kSeccomp, readable, seccomp_name(mode));
}

void ProcessDetails::read_wait_channel(Reader& reader, const Process& process, Row& row) {
  if (process.state == 'Z' || process.state == 'X') return;  // it has no stack any more
  std::string name;
  if (!wait_channel_->of_task(reader, process.task, name))
    put_error(row, kWaitChannel, base::Code::unreadable,
              "its stack could not be followed: it moved meanwhile, or is damaged");
  else if (!name.empty())
    row.values[kWaitChannel] = std::move(name);
}

void ProcessDetails::add_to(Row& row, std::size_t index) const {
  const Row& more = rows_.at(index);
  row.values.insert(row.values.end(), more.values.begin(), more.values.end());
  row.errors.insert(row.errors.end(), more.errors.begin(), more.errors.end());
}

}  // namespace vitrine::views
