#include "vitrine/views/waits.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "vitrine/paging/walked_memory.h"

namespace vitrine::views {
namespace {

using base::GuestVirtual;

constexpr std::size_t kNobody = WaitGraph::kNobody;
constexpr std::size_t kMaxStackPart = 1024;  // words
// Functions that tell nothing of how a task waits, between those that wait and the one that tells.
constexpr int kMaxSilent = 2;

std::string text_with_module(const Function& function) {
  return fmt::format("{}+{:#x}/{:#x}{}", function.name, function.offset, function.size,
                     function.module.empty() ? "" : " [" + function.module + "]");
}

// Whose function is named as what it wants is the one that calls it.
bool wanted_by_caller(WaitKind kind) {
  return is_lock(kind) || kind == WaitKind::timer || kind == WaitKind::page ||
         kind == WaitKind::buffer || kind == WaitKind::io || kind == WaitKind::journal;
}

// What a task waits for where that is trouble even if a signal could end it.
bool is_trouble(WaitKind kind, char state, bool has_owner) {
  if (state == 'D') return true;
  if (kind == WaitKind::futex || kind == WaitKind::futex_pi) return has_owner;
  return kind == WaitKind::file_lock ||
         (is_lock(kind) && kind != WaitKind::completion && kind != WaitKind::semaphore);
}

}  // namespace

base::Result<std::unique_ptr<View>> Waits::attach(const kernel::Kernel& kernel,
                                                  memory::PhysicalMemory& memory,
                                                  const WaitOptions& options) {
  auto processes = Processes::attach(kernel, memory, {.threads = true, .command_lines = false});
  if (!processes) return processes;
  auto modules = ModuleList::attach(kernel);
  if (!modules) return base::fail(modules.error());
  const auto unwinder = Unwinder::attach(kernel, memory);
  if (!unwinder) return base::fail(unwinder.error());
  Resolver at(kernel.types);
  Fields fields;
  fields.stack = at("task_struct", "stack");
  if (kernel.types.has_member("task_struct", "on_cpu")) fields.on_cpu = at("task_struct", "on_cpu");
  fields.mmap_lock = at("mm_struct", {"mmap_lock", "mmap_sem"});  // renamed in 5.8, da1c55f1b272
  fields.child_wait = at("wait_opts", "child_wait");
  fields.wanted_kind = at("wait_opts", "wo_type");
  fields.wanted_child = at("wait_opts", "wo_pid");
  fields.pid = at("task_struct", "thread_pid");
  if (at.error()) return base::fail(*at.error());
  Finders finders{LockWaiters::attach(kernel.types), FutexWaits::attach(kernel.types),
                  PipeEnds::attach(kernel.types), FileLockWaits::attach(kernel.types)};
  return std::unique_ptr<View>(new Waits(std::move(*processes), std::move(*modules), *unwinder,
                                         std::move(finders), TaskClock::attach(kernel), fields,
                                         options));
}

Outcome Waits::collect(Reader& reader) {
  Outcome outcome = processes_->collect(reader);
  return collect_rows(reader, std::move(outcome));
}

Outcome Waits::collect_rows(Reader& reader, Outcome outcome) {
  places_.clear();
  find_.locks.renew();
  find_.pipes.renew();
  steps_.renew();
  frames_.renew();
  if (!modules_.read(reader)) {
    outcome.complete = false;
    outcome.warnings.emplace_back("the list of modules could not be read to its end");
  }
  clock_.begin(reader);
  index_tasks(reader);
  for (std::size_t number = 0; number < tasks_.size(); ++number) examine(reader, number);
  if (frames_.spent() || steps_.spent() || find_.locks.spent() || find_.pipes.spent()) {
    outcome.complete = false;
    outcome.warnings.emplace_back(
        "the guest claims more functions on stacks, waiters or open files than one can have: not "
        "all was looked at");
  }
  std::vector<std::size_t> blockers;
  blockers.reserve(tasks_.size());
  for (const Task& task : tasks_) blockers.push_back(task.owner);
  graph_ = WaitGraph(blockers);
  choose_rows();
  if (options_.pid && rows_.empty())
    outcome.warnings.push_back("the guest has no task " + std::to_string(*options_.pid));
  return outcome;
}

void Waits::index_tasks(Reader& reader) {
  index_.clear();
  children_.clear();
  memories_.clear();
  leaders_.clear();
  tasks_.assign(processes().size(), {});
  for (std::size_t number = 0; number < tasks_.size(); ++number) {
    const Process& process = processes()[number];
    GuestVirtual stack;
    if (!reader.load(process.task + fields_.stack, stack.value)) stack = {};
    index_.add(process.task, stack, number);
    if (process.pid == process.tgid && process.state != 'Z' && process.state != 'X')
      children_.emplace_back(process.ppid, number);
    if (process.pid == process.tgid) leaders_.emplace_back(process.tgid, number);
    if (process.mm.value != 0) memories_.emplace_back(process.mm, number);
  }
  index_.sort();
  std::ranges::sort(children_);
  std::ranges::sort(memories_);
  std::ranges::sort(leaders_);
}

void Waits::examine(Reader& reader, std::size_t number) {
  const Process& process = processes()[number];
  Task& task = tasks_[number];
  if (process.state == 'Z' || process.state == 'X' || process.state == 'I') return;
  std::uint8_t on_cpu = 0;  // an int until 7.0: its lowest byte
  if (fields_.on_cpu != 0 && !reader.load(process.task + fields_.on_cpu, on_cpu)) on_cpu = 0;
  task.runs = on_cpu != 0;
  if (task.runs || frames_.spent()) return;
  task.wait = clock_.wait(reader, process.task);
  stack_.clear();
  const Unwinder::End end = unwinder_.unwind(reader, modules_, process.task, stack_);
  frames_.spend(stack_.size());
  const auto frame = tell(reader, task);
  task.unreadable = !frame && task.function.empty() && end != Unwinder::End::whole;
  if (process.state == 'R') {  // it only waits for its turn
    task.kind = WaitKind::none;
  } else if (process.state == 'T' || process.state == 't') {
    task.kind = WaitKind::stopped;
  } else if (frame) {
    find_cause(reader, number, *frame);
  }
}

const Waits::Place& Waits::place(Reader& reader, const Unwinder::Frame& frame) {
  const auto known = places_.find(frame.address);
  if (known != places_.end()) return known->second;
  Place place;
  // A call may be the last instruction of its function: what it returns to is the next one's.
  auto function = modules_.function(reader, frame.exact ? frame.address : frame.address - 1);
  if (function) {
    if (!frame.exact) ++function->offset;
    place = {told_by(function->name), text_with_module(*function)};
  }
  return places_.emplace(frame.address, std::move(place)).first->second;
}

std::optional<std::size_t> Waits::tell(Reader& reader, Task& task) {
  std::optional<std::size_t> told;
  int silent = 0;
  for (std::size_t i = 0; i < stack_.size() && silent <= kMaxSilent; ++i) {
    const Place& here = place(reader, stack_[i]);
    if (here.told.telling == Telling::nothing) ++silent;
    const bool exactly = here.told.telling == Telling::exactly;
    if (!exactly && (told || here.told.telling != Telling::vaguely)) continue;
    told = i;
    task.kind = here.told.kind;
    if (exactly) break;
  }
  const bool caller = !told || wanted_by_caller(task.kind);
  for (std::size_t i = told && !caller ? *told : 0; i < stack_.size(); ++i) {
    const Place& here = place(reader, stack_[i]);
    if (caller && (here.told.telling == Telling::machinery ||
                   (told && (i <= *told || here.told.kind == task.kind))))
      continue;
    task.function = here.text;
    break;
  }
  return told;
}

// The task's stack from where it waits up to some frames above that.
StackPart Waits::load_stack(Reader& reader, std::size_t frame) {
  constexpr std::size_t kAbove = 5;
  StackPart part;
  part.begin = GuestVirtual(stack_.front().sp.value / 8 * 8);
  const GuestVirtual end = stack_[std::min(frame + kAbove, stack_.size() - 1)].sp;
  if (end <= part.begin) return part;
  part.words.resize(std::min<std::size_t>((end - part.begin) / 8, kMaxStackPart));
  if (!reader.load_bytes(part.begin, std::as_writable_bytes(std::span(part.words))))
    part.words.clear();
  return part;
}

void Waits::find_cause(Reader& reader, std::size_t number, std::size_t frame) {
  Task& task = tasks_[number];
  const StackPart stack = load_stack(reader, frame);
  switch (task.kind) {
    case WaitKind::child:
      return find_child(reader, number, stack);
    case WaitKind::futex:
      return find_futex(reader, number, stack);
    case WaitKind::pipe_read:
    case WaitKind::pipe_write:
      return find_pipe(reader, number, stack);
    case WaitKind::file_lock:
      return find_file_lock(reader, number, stack);
    default:
      return find_lock(reader, number, stack);
  }
}

void Waits::find_lock(Reader& reader, std::size_t number, const StackPart& stack) {
  Task& task = tasks_[number];
  std::optional<LockFound> found;
  const GuestVirtual at = processes()[number].task;
  if (task.kind == WaitKind::rt_mutex || task.kind == WaitKind::futex_pi)
    found = find_.locks.find_rt_mutex(reader, at);
  else if (is_lock(task.kind))
    found = find_.locks.find(reader, index_, at, task.kind, stack);
  if (!found) return;
  if (task.kind != WaitKind::futex_pi) task.kind = found->kind;
  task.lock = found->lock;
  task.lock_name = lock_name(reader, task.kind, task.lock);
  const auto owner = index_.find(found->owner);
  task.owner = owner.value_or(kNobody);
  if (owner) task.source = found->source;
  // Who read last may have exited long since.
  task.owner_is_none = !owner && found->source == OwnerSource::lock;
}

// wait4(2) and its like keep on the stack whom they wait for, kernel/exit.c.
void Waits::find_child(Reader& reader, std::size_t number, const StackPart& stack) {
  constexpr std::uint32_t kOfOneProcess = 1;  // PIDTYPE_TGID; PIDTYPE_PID is 0
  const Process& process = processes()[number];
  const auto parent = &std::pair<std::int32_t, std::size_t>::first;
  const auto begin = std::ranges::lower_bound(children_, process.tgid, {}, parent);
  const auto end = std::ranges::upper_bound(children_, process.tgid, {}, parent);
  for (const GuestVirtual entry : find_.locks.queue_entries(reader, process.task, stack)) {
    const GuestVirtual wait = entry - fields_.child_wait;
    GuestVirtual wanted;
    std::uint32_t kind = 0;
    if (wait < stack.begin || !reader.load(wait + fields_.wanted_child, wanted.value) ||
        !reader.load(wait + fields_.wanted_kind, kind))
      continue;
    std::size_t found = kNobody;
    for (auto child = begin; child != end && steps_.spend(1); ++child) {
      GuestVirtual pid;
      const bool one = wanted.value != 0 && kind <= kOfOneProcess;
      if (one &&
          (!reader.load(processes()[child->second].task + fields_.pid, pid.value) || pid != wanted))
        continue;
      // Of several children, any may be the one.
      found = found == kNobody ? child->second : kNobody;
      if (found == kNobody) break;
    }
    tasks_[number].owner = found;
    if (found != kNobody) tasks_[number].source = OwnerSource::child;
    return;
  }
}

// Only a thread of the same process is believed to be the owner.
void Waits::find_futex(Reader& reader, std::size_t number, const StackPart& stack) {
  const Process& process = processes()[number];
  const auto found = find_.futexes.find(reader, process.task, process.mm, stack);
  if (!found) return;
  Task& task = tasks_[number];
  task.lock = found->address;
  if (found->owner == 0) return;
  // The threads of a process follow one another.
  std::size_t first = number;
  while (first > 0 && processes()[first - 1].tgid == process.tgid && steps_.spend(1)) --first;
  for (std::size_t i = first; i < tasks_.size() && processes()[i].tgid == process.tgid; ++i) {
    if (!steps_.spend(1)) return;
    if (i == number || find_.futexes.own_id(reader, processes()[i].task) != found->owner) continue;
    task.owner = i;
    task.source = OwnerSource::user_memory;
    return;
  }
}

void Waits::find_pipe(Reader& reader, std::size_t number, const StackPart& stack) {
  Task& task = tasks_[number];
  const auto entries = find_.locks.queue_entries(reader, processes()[number].task, stack);
  const auto found =
      find_.pipes.find(reader, processes(), number, task.kind == WaitKind::pipe_read, entries);
  if (!found) return;
  task.lock = found->pipe;
  if (!found->other) return;
  task.owner = *found->other;
  task.source = OwnerSource::other_end;
}

void Waits::find_file_lock(Reader& reader, std::size_t number, const StackPart& stack) {
  const auto entries = find_.locks.queue_entries(reader, processes()[number].task, stack);
  const auto found = find_.file_locks.find(reader, entries);
  if (!found) return;
  Task& task = tasks_[number];
  task.lock = found->lock;
  const auto owner = std::ranges::lower_bound(leaders_, std::pair(found->owner, std::size_t{0}));
  if (owner == leaders_.end() || owner->first != found->owner || owner->second == number) return;
  task.owner = owner->second;
  task.source = OwnerSource::lock;
}

std::string Waits::lock_name(Reader& reader, WaitKind kind, GuestVirtual lock) {
  if (kind == WaitKind::rwsem_read || kind == WaitKind::rwsem_write) {
    const auto owner =
        std::ranges::lower_bound(memories_, std::pair(lock - fields_.mmap_lock, std::size_t{0}));
    if (owner != memories_.end() && owner->first == lock - fields_.mmap_lock)
      return fmt::format("mmap_lock of process {}", processes()[owner->second].tgid);
  }
  const auto variable = modules_.variable(reader, lock);
  if (!variable) return {};
  return variable->name + (variable->offset == 0 ? "" : fmt::format("+{:#x}", variable->offset)) +
         (variable->module.empty() ? "" : " [" + variable->module + "]");
}

// Those in trouble, whoever waits for one of them, and whom they wait for.
void Waits::choose_rows() {
  std::vector<std::size_t> by_depth(tasks_.size());
  for (std::size_t i = 0; i < by_depth.size(); ++i) by_depth[i] = i;
  std::ranges::stable_sort(by_depth, {}, [this](std::size_t i) { return graph_[i].depth; });
  std::vector<bool> chosen(tasks_.size());
  for (const std::size_t i : by_depth) {
    const Task& task = tasks_[i];
    const bool follows = task.owner != kNobody && graph_[i].depth > 0 &&
                         (chosen[task.owner] || tasks_[task.owner].kind == WaitKind::stopped);
    chosen[i] = options_.pid
                    ? processes()[i].pid == *options_.pid
                    : follows || graph_[i].deadlock ||
                          (options_.all && task.kind != WaitKind::none) ||
                          is_trouble(task.kind, processes()[i].state, task.owner != kNobody);
  }
  // The deepest first. clang 14 knows no std::views::reverse.
  for (auto i = by_depth.rbegin(); i != by_depth.rend(); ++i)
    if (chosen[*i] && tasks_[*i].owner != kNobody) chosen[tasks_[*i].owner] = true;
  rows_.clear();
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    const bool member = graph_[i].deadlock && graph_[i].depth == 0;
    if (chosen[i] || (member && chosen[graph_[i].root])) rows_.push_back(i);
  }
  std::ranges::sort(rows_, {}, [this](std::size_t i) {
    const WaitGraph::Place& place = graph_[i];
    return std::tuple(!place.deadlock, ~graph_[place.root].waiters, place.root, place.depth, i);
  });
}

}  // namespace vitrine::views
