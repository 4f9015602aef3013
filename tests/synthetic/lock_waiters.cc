#include "tests/synthetic/lock_waiters.h"

namespace vitrine::synthetic {
namespace {

constexpr std::uint64_t kOwn = 128;    // bytes that a function that waits keeps on its stack
constexpr std::uint64_t kBefore = 24;  // of them, before the structure

}  // namespace

LockWaiters::LockWaiters(Kernel& kernel, Processes& processes)
    : kernel_(kernel), processes_(processes), stacks_(kernel) {
  const auto offset = [&kernel](const char* name) {
    return kernel.symbol(name) - kernel.symbol("_text");
  };
  stacks_.set_rules({{.offset = 0, .kind = UnwindRule::Kind::undefined, .sp_register = 0},
                     {.offset = offset("start_kernel"), .sp_offset = 16},
                     {.offset = offset("ret_from_fork"), .kind = UnwindRule::Kind::end},
                     {.offset = offset("__mutex_lock"), .sp_offset = kOwn + 8}});
}

GuestVirtual LockWaiters::mutex(int owner) {
  const GuestVirtual lock = kernel_.allocate(kernel_.types().size("struct mutex"));
  kernel_.set(lock, "mutex", "owner", processes_.task(owner).value | 1);  // MUTEX_FLAG_WAITERS
  return lock;
}

GuestVirtual LockWaiters::rwsem(int owner) {
  const GuestVirtual lock = kernel_.allocate(kernel_.types().size("struct rw_semaphore"));
  kernel_.set(lock, "rw_semaphore", "owner", processes_.task(owner).value);
  kernel_.set(lock, "rw_semaphore", "count", 3);  // locked for writing, others wait
  return lock;
}

GuestVirtual LockWaiters::sleep(int pid, const std::string& function, std::uint64_t size) {
  std::vector<std::uint64_t> words(kOwn / 8);
  words.push_back((kernel_.symbol("start_kernel") + 32).value);
  words.push_back(0);
  words.push_back((kernel_.symbol("ret_from_fork") + 32).value);
  const GuestVirtual first =
      stacks_.add(processes_.task(pid), kernel_.symbol(function) + 32, 0, words);
  processes_.set_member(pid, "__state", task_uninterruptible);
  return first + (size + kBefore <= kOwn ? kBefore : 0);
}

GuestVirtual LockWaiters::wait(int pid, const std::string& function, const std::string& waiter,
                               const std::string& type, GuestVirtual lock) {
  const GuestVirtual at = sleep(pid, function, kernel_.types().size("struct " + waiter));
  kernel_.set(at, waiter, "task", processes_.task(pid).value);
  append(type, waiter, lock, kernel_.member(at, waiter, "list"));
  // As registers that were saved, among which the lock is.
  kernel_.put(at - 8, lock.value);
  return at;
}

// Behind the last that waits.
void LockWaiters::append(const std::string& type, const std::string& waiter, GuestVirtual lock,
                         GuestVirtual node) {
  const bool headed = kernel_.options().lock_lists == LockLists::headed;
  const GuestVirtual member = kernel_.member(lock, type, headed ? "wait_list" : "first_waiter");
  const auto first = kernel_.get<std::uint64_t>(member);
  GuestVirtual head = headed ? member : node;
  if (!headed && first != 0) head = kernel_.member(GuestVirtual(first), waiter, "list");
  if (first == 0) {
    kernel_.put(head, head.value);
    kernel_.put(head + 8, head.value);
    if (!headed) kernel_.put(member, (node - kernel_.types().offset(waiter, "list")).value);
    if (head == node) return;
  }
  const auto last = kernel_.get<std::uint64_t>(head + 8);
  kernel_.put(node, head.value);
  kernel_.put(node + 8, last);
  kernel_.put(GuestVirtual(last), node.value);
  kernel_.put(head + 8, node.value);
}

GuestVirtual LockWaiters::wait_for_mutex(int pid, GuestVirtual mutex) {
  return wait(pid, "__mutex_lock", "mutex_waiter", "mutex", mutex);
}

GuestVirtual LockWaiters::wait_to_write(int pid, GuestVirtual rwsem) {
  return wait(pid, "rwsem_down_write_slowpath", "rwsem_waiter", "rw_semaphore", rwsem);
}

void LockWaiters::wait_for_child(int pid, GuestVirtual child) {
  const GuestVirtual at = sleep(pid, "do_wait", kernel_.types().size("struct wait_opts"));
  processes_.set_member(pid, "__state", task_interruptible);
  kernel_.set(at, "wait_opts", "wo_type", child.value == 0 ? 4 : 0);
  kernel_.set(at, "wait_opts", "wo_pid", child.value);
  kernel_.set(at, "wait_opts", "child_wait.private", processes_.task(pid).value);
  const GuestVirtual entry = kernel_.member(at, "wait_opts", "child_wait.entry");
  kernel_.put(entry, entry.value);
  kernel_.put(entry + 8, entry.value);
}

}  // namespace vitrine::synthetic
