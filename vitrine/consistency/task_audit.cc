#include "vitrine/consistency/task_audit.h"

#include <algorithm>
#include <string>
#include <variant>

#include "vitrine/views/cycle_guard.h"
#include "vitrine/views/resolver.h"

namespace vitrine::consistency {
namespace {

using base::GuestVirtual;
using views::LockKind;

constexpr std::size_t kMaxTasks = 1U << 20;
// include/linux/sched.h; TASK_NEW since 4.8 (7dc603c9028e).
constexpr std::uint32_t kFlagExiting = 0x4;
constexpr std::uint32_t kFlagKernelThread = 0x20'0000;
constexpr std::uint32_t kStateNew = 0x800;
constexpr std::uint32_t kExitDead = 0x10;
constexpr std::uint32_t kExitZombie = 0x20;
constexpr std::uint64_t kListPoison2 = 0xdead'0000'0000'0122;  // include/linux/poison.h

constexpr std::array<KindInfo, kKinds> kInfos{{
    {"zombie", true, "exited, and its parent has not asked for it"},
    {"dead", true, "exited, and about to be taken out of the list"},
    {"dying", true, "has begun to exit"},
    {"as_good_as_dead", true, "has begun to exit, and has given up its memory"},
    {"fresh", true, "linked, and not yet started"},
    {"walk_astray", false, "the list of tasks could not be followed to its end"},
    {"neighbours", false, "a task does not lead back to the one before it"},
    {"unlinked", false, "a task left the list while the walk stood on it"},
    {"freed", false, "a task that nobody refers to any more"},
    {"reused", false, "a task that was another when it was looked at again"},
    {"thread_count", false, "a process counts other threads than it has"},
    {"wrong_group", false, "a thread that is linked to a process of which it is none"},
    {"pid_astray", false, "a task whose id leads to another task, or to none"},
}};

constexpr std::array<views::Column, 4> kColumns{{
    {"kind", views::Type::text, "what does not fit together"},
    {"intrinsic", views::Type::boolean, "whether it is a state of the guest itself"},
    {"count", views::Type::integer, "how many tasks it concerns"},
    {"description", views::Type::text, "what that means"},
}};

constexpr std::array<views::GlobalGuard, 2> kGuards{{
    {LockKind::rwlock, "tasklist_lock"},
    {LockKind::spinlock, "pidmap_lock", true},
}};

}  // namespace

const KindInfo& info(Kind kind) { return kInfos.at(static_cast<std::size_t>(kind)); }

std::span<const views::Column> TaskAudit::columns() const { return kColumns; }
std::span<const views::GlobalGuard> TaskAudit::global_guards() const { return kGuards; }

base::Result<std::unique_ptr<TaskAudit>> TaskAudit::attach(const kernel::Kernel& kernel) {
  const auto init_task = kernel.symbols.find("init_task");
  if (!init_task)
    return base::fail(base::Code::unsupported, "this kernel's kallsyms does not name init_task",
                      "the guest's kernel needs CONFIG_KALLSYMS_ALL");
  views::Resolver at(kernel.types);
  Fields fields;
  fields.init_task = *init_task;
  fields.state = at("task_struct", {"__state", "state"});  // renamed in 5.14, 2f064a59a11f
  fields.flags = at("task_struct", "flags");
  fields.tasks = at("task_struct", "tasks");
  fields.mm = at("task_struct", "mm");
  fields.exit_state = at("task_struct", "exit_state");
  fields.pid = at("task_struct", "pid");
  fields.tgid = at("task_struct", "tgid");
  fields.thread_node = at("task_struct", "thread_node");
  fields.start = at("task_struct", "start_boottime");
  fields.signal = at("task_struct", "signal");
  fields.usage = at("task_struct", "usage.refs.counter");
  fields.thread_pid = at("task_struct", "thread_pid");
  fields.pid_link = at("task_struct", "pid_links");  // the first is that of PIDTYPE_PID
  fields.task_high =
      std::max({fields.state, fields.flags, fields.tasks + 8, fields.mm, fields.exit_state,
                fields.pid, fields.tgid, fields.thread_node, fields.start, fields.signal,
                fields.usage, fields.thread_pid, fields.pid_link}) +
      8;
  fields.nr_threads = at("signal_struct", "nr_threads");
  fields.thread_head = at("signal_struct", "thread_head");
  fields.pid_number = at("pid", "numbers") + at("upid", "nr");
  fields.pid_tasks = at("pid", "tasks");
  if (at.error()) return base::fail(*at.error());
  return std::unique_ptr<TaskAudit>(new TaskAudit(fields));
}

views::Outcome TaskAudit::collect(views::Reader& reader) {
  counts_.fill(0);
  seen_.clear();
  tasks_ = 0;
  if (!walk(reader)) add(Kind::walk_astray);
  look_again(reader);
  return {};
}

// Once around the circle of processes; false where it does not close.
bool TaskAudit::walk(views::Reader& reader) {
  const GuestVirtual head = fields_.init_task + fields_.tasks;
  GuestVirtual before = head;
  GuestVirtual at;
  views::CycleGuard guard;
  if (!reader.load(head, at.value)) return false;
  while (at != head) {
    Task task{.at = at - fields_.tasks};
    GuestVirtual back;
    if (seen_.size() >= kMaxTasks || guard.closes(at) || !reader.load(at + 8, back.value) ||
        !read_task(reader, task))
      return false;
    if (back.value == kListPoison2)
      add(Kind::unlinked);
    else if (back != before)
      add(Kind::neighbours);
    judge_threads(reader, task);
    before = at;
    if (!reader.load(at, at.value)) return false;
  }
  GuestVirtual last;
  if (!reader.load(head + 8, last.value)) return false;
  if (last != before) add(Kind::neighbours);
  return true;
}

bool TaskAudit::read_task(views::Reader& reader, Task& task) {
  reader.expect(task.at, fields_.task_high);
  bool readable = reader.load(task.at + fields_.pid, task.identity.pid) &&
                  reader.load(task.at + fields_.start, task.identity.start) &&
                  reader.load(task.at + fields_.tgid, task.tgid) &&
                  reader.load(task.at + fields_.signal, task.signal.value);
  judge_life(reader, task.at, readable);
  if (!readable) return false;
  judge_pid(reader, task);
  ++tasks_;
  seen_.push_back(task);
  return true;
}

void TaskAudit::judge_life(views::Reader& reader, GuestVirtual task, bool& readable) {
  std::uint32_t state = 0;
  std::uint32_t exit_state = 0;
  std::uint32_t flags = 0;
  std::uint32_t usage = 0;
  GuestVirtual mm;
  readable = readable && reader.load(task + fields_.state, state) &&
             reader.load(task + fields_.exit_state, exit_state) &&
             reader.load(task + fields_.flags, flags) && reader.load(task + fields_.usage, usage) &&
             reader.load(task + fields_.mm, mm.value);
  if (!readable) return;
  if (usage == 0) add(Kind::freed);
  if ((exit_state & kExitDead) != 0)
    add(Kind::dead);
  else if ((exit_state & kExitZombie) != 0)
    add(Kind::zombie);
  else if ((flags & kFlagExiting) != 0)
    add(mm.value == 0 && (flags & kFlagKernelThread) == 0 ? Kind::as_good_as_dead : Kind::dying);
  else if ((state & kStateNew) != 0)
    add(Kind::fresh);
}

// Whoever has given up its id has none to lead back.
void TaskAudit::judge_pid(views::Reader& reader, const Task& task) {
  GuestVirtual pid;
  GuestVirtual link;
  std::int32_t number = 0;
  const bool right = reader.load(task.at + fields_.thread_pid, pid.value) && pid.value != 0 &&
                     reader.load(pid + fields_.pid_number, number) && number == task.identity.pid &&
                     reader.load(pid + fields_.pid_tasks, link.value) &&
                     link == task.at + fields_.pid_link;
  if (!right) add(Kind::pid_astray);
}

void TaskAudit::judge_threads(views::Reader& reader, const Task& leader) {
  const GuestVirtual head = leader.signal + fields_.thread_head;
  std::uint32_t counted = 0;
  std::uint32_t linked = 0;
  GuestVirtual at;
  views::CycleGuard guard;
  bool readable =
      reader.load(leader.signal + fields_.nr_threads, counted) && reader.load(head, at.value);
  while (readable && at != head && seen_.size() < kMaxTasks && !guard.closes(at)) {
    ++linked;
    Task thread{.at = at - fields_.thread_node};
    if (thread.at != leader.at) {
      readable = read_task(reader, thread);
      if (readable && (thread.tgid != leader.tgid || thread.signal != leader.signal))
        add(Kind::wrong_group);
    }
    readable = readable && reader.load(at, at.value);
  }
  if (!readable || at != head || counted != linked) add(Kind::thread_count);
}

// What was another when it was read first was freed and taken for something else meanwhile.
void TaskAudit::look_again(views::Reader& reader) {
  for (const Task& task : seen_) {
    Identity now;
    const bool same = reader.load(task.at + fields_.pid, now.pid) &&
                      reader.load(task.at + fields_.start, now.start) &&
                      now.pid == task.identity.pid && now.start == task.identity.start;
    if (!same) add(Kind::reused);
  }
}

views::Row TaskAudit::row(std::size_t index) const {
  const KindInfo& kind = kInfos.at(index);
  return {{std::string(kind.name), kind.intrinsic, std::uint64_t{counts_.at(index)},
           std::string(kind.description)},
          {}};
}

}  // namespace vitrine::consistency
