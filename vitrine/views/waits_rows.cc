// What the view `waits` shows of what it has collected: its rows.
#include <array>

#include "vitrine/views/waits.h"

namespace vitrine::views {
constinit const std::array<Column, Waits::kColumns> Waits::kColumnDeclarations{{
    {"pid", Type::integer, "id of the task itself"},
    {"tgid", Type::integer, "id of its process"},
    {"comm", Type::text, "name of the task, at most 15 bytes"},
    {"state", Type::text, "what it does, one letter as in ps"},
    {"since_ns", Type::nanoseconds,
     "when it last ran, since the guest booted, by the scheduler's clock; null for a task that "
     "runs",
     true},
    {"waited_ns", Type::nanoseconds, "how long ago that was", true, "WAITED"},
    {"waits_for", Type::text,
     "mutex, rwsem read, rwsem write, semaphore, rt_mutex, percpu_rwsem, completion, futex, futex "
     "pi, pipe read, pipe write, child, page, buffer, io, journal, memory, user fault, file lock, "
     "fuse, rpc, epoll, poll, timer, signal, socket, terminal, ipc, frozen, stopped or work; null "
     "where that is not known, and for a task that does not wait"},
    {"function", Type::text,
     "the function of the kernel that wants it, with its module: name+0x10/0x40 [module]"},
    {"lock", Type::address, "what it waits for; of a futex, the address in its process"},
    {"lock_name", Type::text, "its symbol, with its module, or what it belongs to"},
    {"owner", Type::integer, "id of the task that has the lock, or that it waits for"},
    {"owner_comm", Type::text, "name of that task"},
    {"owner_known_by", Type::text,
     "lock, it names its owner; last reader, last holder and user memory are hints; other end, of "
     "the pipe; child"},
    {"root", Type::integer,
     "id of the root blocker, the last of the chain of owners; null where the chain closes to a "
     "deadlock, and for a task that waits for no other"},
    {"root_comm", Type::text, "name of that task"},
    {"depth", Type::integer, "steps to the root blocker, or to the deadlock"},
    {"waiters", Type::integer, "tasks that wait for this one, directly or through others"},
    {"deadlock", Type::boolean, "whether it waits in a deadlock, or for one"},
    {"deadlock_members", Type::text, "ids of the tasks that wait for each other there, in order"},
}};

std::span<const Column> Waits::declared_columns() { return kColumnDeclarations; }

Row Waits::row(std::size_t index) const {
  const std::size_t number = rows_[index];
  const Process& process = processes()[number];
  const Task& task = tasks_[number];
  const WaitGraph::Place& place = graph_[number];
  Row row;
  row.values.resize(kColumns);
  row.values[kPid] = std::int64_t{process.pid};
  row.values[kTgid] = std::int64_t{process.tgid};
  row.values[kComm] = std::string(name_of(process));
  row.values[kState] = std::string(1, process.state);
  if (task.wait) {
    row.values[kSince] = task.wait->since_ns;
    row.values[kWaited] = task.wait->waited_ns;
  }
  if (task.kind != WaitKind::none) row.values[kWaitsFor] = std::string(views::name(task.kind));
  if (!task.function.empty()) row.values[kFunction] = task.function;
  if (task.lock.value != 0) row.values[kLock] = task.lock.value;
  if (!task.lock_name.empty()) row.values[kLockName] = task.lock_name;
  if (task.owner != WaitGraph::kNobody) {
    row.values[kOwner] = std::int64_t{processes()[task.owner].pid};
    row.values[kOwnerComm] = std::string(name_of(processes()[task.owner]));
    row.values[kOwnerKnownBy] = std::string(views::name(task.source));
    if (!place.deadlock) {
      row.values[kRoot] = std::int64_t{processes()[place.root].pid};
      row.values[kRootComm] = std::string(name_of(processes()[place.root]));
    }
  }
  row.values[kDepth] = std::uint64_t{place.depth};
  row.values[kWaiters] = std::uint64_t{place.waiters};
  row.values[kDeadlock] = place.deadlock;
  if (place.deadlock) {
    std::string members;
    for (const std::size_t member : graph_.members(place.root))
      members += (members.empty() ? "" : ",") + std::to_string(processes()[member].pid);
    row.values[kMembers] = members;
  }
  const auto failed = [&row](ColumnIndex column, base::Code code, const char* why) {
    row.errors.push_back({kColumnDeclarations[column].name, code, why});
  };
  if (task.unreadable)
    failed(kWaitsFor, base::Code::unreadable, "the task's kernel stack could not be followed");
  if (task.owner_is_none)
    failed(kOwner, base::Code::inconsistent,
           "the lock names an owner that is no task: it exited without giving it back, or the lock "
           "changed while it was read");
  return row;
}

}  // namespace vitrine::views
