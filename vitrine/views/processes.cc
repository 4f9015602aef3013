#include "vitrine/views/processes.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "vitrine/paging/walked_memory.h"
#include "vitrine/views/cycle_guard.h"
#include "vitrine/views/process_details.h"
#include "vitrine/views/task_state.h"

namespace vitrine::views {
namespace {

using base::kPage;

constexpr std::size_t kMaxTasks = 4u << 20;               // PID_MAX_LIMIT
constexpr std::uint32_t kFlagExiting = 0x0000'0004;       // PF_EXITING, include/linux/sched.h
constexpr std::uint32_t kFlagKernelThread = 0x0020'0000;  // PF_KTHREAD
constexpr int kListAttempts = 3;                          // collections of a list that breaks off

// Why a process that has memory of its own shows no command line.
std::optional<base::Error> command_line_error(const Process& process) {
  switch (process.command_line) {
    case CommandLine::none:
    case CommandLine::read:
      return std::nullopt;
    case CommandLine::unreadable:
      return paging::error_of(process.command_line_fault, {});
    case CommandLine::implausible:
      return base::Error{base::Code::inconsistent,
                         "the bounds of the arguments, mm_struct.arg_start and arg_end, are none "
                         "that a process can have: the process is just starting a program, or "
                         "they are damaged or forged",
                         {}};
    case CommandLine::left_out:
      return base::Error{
          base::Code::unreadable, "left out: the command lines together are too long", {}};
  }
  return std::nullopt;
}

}  // namespace

constinit const std::array<Column, Processes::kColumns> Processes::kColumnDeclarations{{
    {"pid", Type::integer, "id of the task itself: the thread id where threads are listed"},
    {"tgid", Type::integer, "id of the process, that of its first thread"},
    {"ppid", Type::integer, "process id of the parent"},
    {"comm", Type::text, "name of the task, at most 15 bytes"},
    {"state", Type::text,
     "R running, S sleeping, D uninterruptible, I idle, T stopped, t traced, "
     "Z zombie, X dead, P parked"},
    {"uid", Type::integer, "real user id, in the guest's initial user namespace"},
    {"gid", Type::integer, "real group id, in the guest's initial user namespace"},
    {"threads", Type::integer, "threads of the process"},
    {"start_ns", Type::nanoseconds, "start of the task since the guest booted, in nanoseconds"},
    {"rss_bytes", Type::bytes, "resident memory in bytes, as /proc/PID/statm counts it", true},
    {"kernel_thread", Type::boolean, "whether the task is one of the kernel's own"},
    {"exiting", Type::boolean, "whether the task has begun to exit"},
    {"cmdline", Type::text,
     "arguments, separated by spaces, from the process's own memory; null "
     "for kernel threads and where no page of it is left"},
}};

std::string_view name_of(const Process& process) {
  const std::string_view comm(process.comm.data(), process.comm.size());
  return comm.substr(0, comm.find('\0'));
}

Processes::Processes(Fields fields, const UserStrings& strings,
                     std::vector<std::uint64_t> cpu_offsets, const ProcessOptions& options)
    : fields_(fields), strings_(strings), cpu_offsets_(std::move(cpu_offsets)), options_(options) {}

Processes::~Processes() = default;

std::span<const Column> Processes::declared_columns() {
  static const std::vector<Column> columns = [] {
    std::vector<Column> all(kColumnDeclarations.begin(), kColumnDeclarations.end());
    const auto details = ProcessDetails::declared_columns();
    all.insert(all.end(), details.begin(), details.end());
    return all;
  }();
  return columns;
}

void Processes::want(const kernel::Kernel& kernel, memory::PhysicalMemory& memory,
                     std::span<const std::string_view> columns) {
  details_ = ProcessDetails::attach(kernel, memory, columns, cpu_offsets_);
}

// The list of tasks and the counts of threads; how ids are given.
std::span<const GlobalGuard> Processes::global_guards() const {
  static constexpr std::array<GlobalGuard, 2> kGuards{{
      {LockKind::rwlock, "tasklist_lock"},
      {LockKind::spinlock, "pidmap_lock", true},
  }};
  return kGuards;
}

// Each task's name, memory, files and namespaces; each process's arguments, and its mappings, in
// which they are.
void Processes::add_object_guards(std::vector<ObjectGuard>& guards) const {
  for (const Process& process : rows_) {
    guards.push_back(
        {LockKind::spinlock, "alloc_lock", process.task + fields_.task_lock, process.pid});
    if (!options_.command_lines || process.mm.value == 0 || process.pid != process.tgid) continue;
    guards.push_back(
        {LockKind::spinlock, "arg_lock", process.mm + fields_.argument_lock, process.pid});
    guards.push_back(
        {LockKind::semaphore, "mmap_lock", process.mm + fields_.map_lock, process.pid});
  }
}

Outcome Processes::collect(Reader& reader) {
  Outcome outcome = collect_tasks(reader);
  if (details_) details_->collect(reader, rows_, options_.threads);
  return outcome;
}

Outcome Processes::collect_tasks(Reader& reader) {
  Outcome outcome;
  for (int attempt = 0; attempt < kListAttempts; ++attempt) {
    outcome = reader.records() ? walk_list<true>(reader) : walk_list<false>(reader);
    if (outcome.complete) break;
  }
  if (options_.command_lines) read_command_lines(reader, outcome);
  return outcome;
}

// The circular list of group leaders, from init_task (which is not a process, and no row) around.
template <bool Recorded>
Outcome Processes::walk_list(Reader& reader) {
  Outcome outcome;
  rows_.clear();
  const base::GuestVirtual head = fields_.init_task + fields_.tasks;
  base::GuestVirtual at;
  CycleGuard guard;
  bool readable = reader.load(head, at.value);
  while (readable && at != head) {
    if (rows_.size() >= kMaxTasks || guard.closes(at)) {
      outcome = {false,
                 {"the task list does not come back to its head: it is damaged or changed "
                  "while it was read; " +
                  std::to_string(rows_.size()) + " tasks were read"}};
      return outcome;
    }
    readable = read_task<Recorded>(reader, at - fields_.tasks, fields_.tasks, at);
    if (readable && options_.threads) walk_threads<Recorded>(reader, outcome);
  }
  if (!readable)
    outcome = {false,
               {"the task list breaks off after " + std::to_string(rows_.size()) +
                " tasks: " + std::string(paging::name(reader.fault())) + " at " +
                base::to_string(reader.fault_address())}};
  else if (rows_.empty())
    outcome = {false,
               {"the task list is empty, which it is only before the guest has started its first "
                "process: it is damaged, or changed while it was read"}};
  return outcome;
}

// Adds the other threads of the process whose leader is the last row.
template <bool Recorded>
void Processes::walk_threads(Reader& reader, Outcome& outcome) {
  const base::GuestVirtual leader = rows_.back().task;
  base::GuestVirtual signal;
  base::GuestVirtual at;
  bool readable = reader.load(leader + fields_.signal, signal.value);
  const base::GuestVirtual head = signal + fields_.thread_head;
  readable = readable && reader.load(head, at.value);
  CycleGuard guard;
  while (readable && at != head && rows_.size() < kMaxTasks && !guard.closes(at)) {
    const base::GuestVirtual task = at - fields_.thread_node;
    readable = task == leader ? reader.load(at, at.value)
                              : read_task<Recorded>(reader, task, fields_.thread_node, at);
  }
  if (readable && at == head) return;
  outcome.complete = false;
  outcome.warnings.push_back("the thread list of process " + std::to_string(rows_.back().tgid) +
                             " could not be followed to its end");
}

// Adds a row for the task, unless its link to the next one can't be read: a task that can't be
// followed is no task. `next` becomes the list node that it links to.
template <bool Recorded>
bool Processes::read_task(Reader& reader, base::GuestVirtual at, std::uint32_t link,
                          base::GuestVirtual& next) {
  const Fields& field = fields_;
  reader.expect(at + field.task_low, field.task_high - field.task_low);
  // Built apart and added whole, so that the compiler can keep the burst in registers meanwhile.
  Process row;
  row.task = at;
  {
    Reader::Burst<Recorded> burst(reader);
    const auto task = burst.object(at, field.task_high);
    if (!burst.load(task, link, next.value)) return false;
    fill_row(reader, burst, task, row);
  }
  rows_.push_back(row);
  return true;
}

template <class Burst>
[[gnu::always_inline]] inline void Processes::fill_row(const Reader& reader, Burst& burst,
                                                       const typename Burst::Object& task,
                                                       Process& row) {
  const Fields& field = fields_;
  const auto read = [&](const auto& from, std::uint32_t offset, auto& to, std::uint32_t columns)
      __attribute__((always_inline)) {
    if (burst.load(from, offset, to)) [[likely]]
      return true;
    row.unreadable |= columns;
    row.fault = reader.fault();
    return false;
  };

  std::uint32_t state = 0;
  std::uint32_t exit_state = 0;
  std::uint32_t flags = 0;
  std::array<std::uint64_t, 2> comm{};
  base::GuestVirtual parent;
  base::GuestVirtual cred;
  base::GuestVirtual signal;
  if (read(task, field.state, state, 1u << kState) &&
      read(task, field.exit_state, exit_state, 1u << kState))
    row.state = task_state_letter(state, exit_state);
  read(task, field.flags, flags, 1u << kKernelThread | 1u << kExiting);
  row.kernel_thread = (flags & kFlagKernelThread) != 0;
  row.exiting = (flags & kFlagExiting) != 0;
  read(task, field.pid, row.pid, 1u << kPid);
  read(task, field.tgid, row.tgid, 1u << kTgid);
  read(task, field.start_boottime, row.start_ns, 1u << kStart);
  read(task, field.comm, comm[0], 1u << kComm);
  read(task, field.comm + 8, comm[1], 1u << kComm);
  row.comm = std::bit_cast<std::array<char, 16>>(comm);
  if (read(task, field.real_parent, parent.value, 1u << kPpid))
    read(burst.object(parent, field.task_high), field.tgid, row.ppid, 1u << kPpid);
  if (read(task, field.real_cred, cred.value, 1u << kUid | 1u << kGid)) {
    const auto object = burst.object(cred, field.cred_high);
    read(object, field.uid, row.uid, 1u << kUid);
    read(object, field.gid, row.gid, 1u << kGid);
  }
  if (read(task, field.signal, signal.value, 1u << kThreads))
    read(burst.object(signal, field.nr_threads + 4), field.nr_threads, row.threads, 1u << kThreads);
  // A kernel thread may borrow a process's memory for a while; it is not its own.
  if (read(task, field.mm, row.mm.value, 1u << kRss)) {
    if (row.kernel_thread) row.mm = {};
    if (row.mm.value != 0) read_memory_use(reader, burst, row);
  }
}

template <class Burst>
[[gnu::always_inline]] inline void Processes::read_memory_use(const Reader& reader, Burst& burst,
                                                              Process& row) {
  const auto mm = burst.object(row.mm, fields_.mm_high);
  std::uint64_t pages = 0;
  bool readable = true;
  for (std::size_t kind = 0; kind < fields_.rss.size(); ++kind) {
    std::int64_t count = 0;
    readable = readable && burst.load_statistic(mm, fields_.rss[kind], count);
    if (fields_.rss_sums_cpus) {
      base::GuestVirtual parts;
      readable = readable && burst.load(mm, fields_.rss_per_cpu[kind], parts.value);
      for (const std::uint64_t offset : cpu_offsets_) {
        std::int32_t part = 0;
        readable =
            readable && burst.load_statistic(burst.object(parts + offset, sizeof part), 0, part);
        count += part;
      }
    }
    // The kernel's own rule: a counter that is momentarily negative counts as zero.
    if (count > 0) pages += static_cast<std::uint64_t>(count);
  }
  row.rss_bytes = pages * fields_.page_bytes;
  if (readable) return;
  row.unreadable |= 1u << kRss;
  row.fault = reader.fault();
}

// Any process can claim a line of megabytes, and thousands might: together they are bounded.
void Processes::read_command_lines(Reader& reader, Outcome& outcome) {
  command_lines_.resize(rows_.size());
  const std::size_t limit = options_.command_line_bytes;
  std::size_t total = 0;
  for (std::size_t index = 0; index < rows_.size(); ++index) {
    if (total > limit) {
      if (rows_[index].mm.value != 0) rows_[index].command_line = CommandLine::left_out;
      continue;
    }
    read_command_line(reader, index);
    total += command_lines_[index].size();
  }
  if (total <= limit) return;
  outcome.complete = false;
  outcome.warnings.push_back("the command lines together are longer than " + std::to_string(limit) +
                             " bytes: those after that were left out");
}

void Processes::read_command_line(Reader& reader, std::size_t index) {
  Process& row = rows_[index];
  std::string& line = command_lines_[index];
  line.clear();
  if (line.capacity() > kPage) line.shrink_to_fit();
  if (row.mm.value == 0) return;

  const UserStrings::End end = strings_.arguments(reader, row.mm, text_);
  if (end == UserStrings::End::implausible) {
    row.command_line = CommandLine::implausible;
  } else if (end == UserStrings::End::unreadable || !text_.gaps.empty()) {
    row.command_line = CommandLine::unreadable;
    row.command_line_fault = text_.gaps.empty() ? reader.fault() : text_.gaps.front().fault;
  } else {
    row.command_line = CommandLine::read;
    line = text_.bytes;
    while (!line.empty() && line.back() == '\0') line.pop_back();
    std::ranges::replace(line, '\0', ' ');
  }
}

Row Processes::row(std::size_t index) const {
  const Process& process = rows_[index];
  Row row;
  row.values = {
      std::int64_t{process.pid},
      std::int64_t{process.tgid},
      std::int64_t{process.ppid},
      std::string(name_of(process)),
      std::string(1, process.state),
      std::uint64_t{process.uid},
      std::uint64_t{process.gid},
      std::uint64_t{process.threads},
      process.start_ns,
      process.rss_bytes,
      process.kernel_thread,
      process.exiting,
      std::monostate{},
  };
  if (process.command_line == CommandLine::read) row.values[kCommandLine] = command_lines_[index];
  for (unsigned column = 0; column < kColumns; ++column) {
    if ((process.unreadable >> column & 1) == 0) continue;
    row.values[column] = std::monostate{};
    row.errors.push_back({kColumnDeclarations[column].name, base::Code::unreadable,
                          std::string(paging::name(process.fault))});
  }
  if (const auto error = command_line_error(process))
    row.errors.push_back({kColumnDeclarations[kCommandLine].name, error->code, error->message});
  if (details_ && index < details_->size())
    details_->add_to(row, index);
  else
    row.values.resize(declared_columns().size());
  return row;
}

}  // namespace vitrine::views
