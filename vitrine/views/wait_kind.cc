#include "vitrine/views/wait_kind.h"

#include <algorithm>
#include <array>

namespace vitrine::views {
namespace {

struct Waiter {
  std::string_view function;
  WaitKind kind = WaitKind::none;
  Telling telling = Telling::exactly;
};

// Beginnings of names: "mutex_lock" stands for mutex_lock_killable, too.
constexpr std::array kMachinery{
    std::string_view("__schedule"),       std::string_view("schedule"),
    std::string_view("preempt_schedule"), std::string_view("mutex_lock"),
    std::string_view("ww_mutex_lock"),    std::string_view("rt_mutex"),
    std::string_view("down_read"),        std::string_view("down_write"),
    std::string_view("__down_read"),      std::string_view("__down_write"),
    std::string_view("wait_woken"),       std::string_view("percpu_down_read"),
    std::string_view("__percpu_down"),    std::string_view("folio_wait"),
    std::string_view("prepare_to_wait"),  std::string_view("futex_wait"),
    std::string_view("io_schedule"),      std::string_view("wait_on_page"),
    std::string_view("__rt_mutex"),       std::string_view("poll_schedule"),
};

// The mutex and the rwsem: kernel/locking/{mutex,rwsem,semaphore,rtmutex,percpu-rwsem}.c; page:
// mm/filemap.c (folio_wait_bit_common since 5.16); futex: kernel/futex/waitwake.c
// (futex_wait_queue_me until 5.16, futex_do_wait since 6.17); pipe: fs/pipe.c (anon_pipe_read since
// 6.15). Sorted by name.
constexpr std::array kKnownWaiters{
    Waiter{"___down_common", WaitKind::semaphore},
    Waiter{"__bit_wait", WaitKind::buffer},
    Waiter{"__do_sys_pause", WaitKind::signal},
    Waiter{"__down", WaitKind::semaphore},
    Waiter{"__down_common", WaitKind::semaphore},
    Waiter{"__down_interruptible", WaitKind::semaphore},
    Waiter{"__down_killable", WaitKind::semaphore},
    Waiter{"__down_timeout", WaitKind::semaphore},
    Waiter{"__folio_lock", WaitKind::page},
    Waiter{"__futex_wait", WaitKind::futex},
    Waiter{"__lock_page", WaitKind::page},
    Waiter{"__mutex_lock", WaitKind::mutex},
    Waiter{"__mutex_lock_interruptible_slowpath", WaitKind::mutex},
    Waiter{"__mutex_lock_killable_slowpath", WaitKind::mutex},
    Waiter{"__mutex_lock_slowpath", WaitKind::mutex},
    Waiter{"__refrigerator", WaitKind::frozen},
    Waiter{"__skb_wait_for_more_packets", WaitKind::socket},
    Waiter{"__wait_for_common", WaitKind::completion},
    Waiter{"__wait_on_bit", WaitKind::buffer},
    Waiter{"__wait_on_bit_lock", WaitKind::buffer},
    Waiter{"__ww_mutex_lock", WaitKind::mutex},
    Waiter{"anon_pipe_read", WaitKind::pipe_read},
    Waiter{"anon_pipe_write", WaitKind::pipe_write},
    Waiter{"balance_dirty_pages", WaitKind::memory},
    Waiter{"bit_wait", WaitKind::buffer},
    Waiter{"bit_wait_io", WaitKind::buffer},
    Waiter{"blk_mq_get_tag", WaitKind::io},
    Waiter{"core_sys_select", WaitKind::poll},
    Waiter{"do_epoll_wait", WaitKind::epoll},
    Waiter{"do_msgrcv", WaitKind::ipc},
    Waiter{"do_msgsnd", WaitKind::ipc},
    Waiter{"do_nanosleep", WaitKind::timer},
    Waiter{"do_pause", WaitKind::signal},
    Waiter{"do_poll", WaitKind::poll},
    Waiter{"do_select", WaitKind::poll},
    Waiter{"do_semtimedop", WaitKind::ipc},
    Waiter{"do_signal_stop", WaitKind::stopped},
    Waiter{"do_sigtimedwait", WaitKind::signal},
    Waiter{"do_sys_poll", WaitKind::poll},
    Waiter{"do_wait", WaitKind::child},
    Waiter{"down", WaitKind::semaphore},
    Waiter{"down_interruptible", WaitKind::semaphore},
    Waiter{"down_killable", WaitKind::semaphore},
    Waiter{"down_timeout", WaitKind::semaphore},
    Waiter{"ep_poll", WaitKind::epoll},
    Waiter{"fifo_pipe_read", WaitKind::pipe_read},
    Waiter{"fifo_pipe_write", WaitKind::pipe_write},
    Waiter{"flock_lock_inode_wait", WaitKind::file_lock},
    Waiter{"folio_wait_bit", WaitKind::page},
    Waiter{"folio_wait_bit_common", WaitKind::page},
    Waiter{"futex_do_wait", WaitKind::futex},
    Waiter{"futex_lock_pi", WaitKind::futex_pi},
    Waiter{"futex_wait", WaitKind::futex},
    Waiter{"futex_wait_multiple", WaitKind::futex},
    Waiter{"futex_wait_queue", WaitKind::futex},
    Waiter{"futex_wait_queue_me", WaitKind::futex},
    Waiter{"futex_wait_requeue_pi", WaitKind::futex},
    Waiter{"handle_userfault", WaitKind::user_fault},
    Waiter{"hrtimer_nanosleep", WaitKind::timer},
    Waiter{"inet_csk_accept", WaitKind::socket},
    Waiter{"io_schedule", WaitKind::io, Telling::vaguely},
    Waiter{"io_schedule_timeout", WaitKind::io, Telling::vaguely},
    Waiter{"jbd2_journal_lock_updates", WaitKind::journal},
    Waiter{"jbd2_log_wait_commit", WaitKind::journal},
    Waiter{"kthread", WaitKind::work, Telling::vaguely},
    Waiter{"kthreadd", WaitKind::work},
    Waiter{"locks_lock_inode_wait", WaitKind::file_lock},
    Waiter{"mem_cgroup_oom_synchronize", WaitKind::memory},
    Waiter{"msleep", WaitKind::timer},
    Waiter{"msleep_interruptible", WaitKind::timer},
    Waiter{"n_tty_read", WaitKind::terminal},
    Waiter{"n_tty_write", WaitKind::terminal},
    Waiter{"out_of_line_wait_on_bit", WaitKind::buffer},
    Waiter{"out_of_line_wait_on_bit_lock", WaitKind::buffer},
    Waiter{"percpu_rwsem_wait", WaitKind::percpu_rwsem},
    Waiter{"pipe_read", WaitKind::pipe_read},
    Waiter{"pipe_write", WaitKind::pipe_write},
    Waiter{"posix_lock_inode_wait", WaitKind::file_lock},
    Waiter{"ptrace_stop", WaitKind::stopped},
    Waiter{"reclaim_throttle", WaitKind::memory},
    Waiter{"request_wait_answer", WaitKind::fuse},
    Waiter{"rpc_wait_bit_killable", WaitKind::rpc},
    Waiter{"rt_mutex_slowlock", WaitKind::rt_mutex},
    Waiter{"rwsem_down_read_slowpath", WaitKind::rwsem_read},
    Waiter{"rwsem_down_write_slowpath", WaitKind::rwsem_write},
    Waiter{"schedule_hrtimeout_range", WaitKind::timer, Telling::vaguely},
    Waiter{"schedule_timeout", WaitKind::timer, Telling::vaguely},
    Waiter{"sigsuspend", WaitKind::signal},
    Waiter{"sk_stream_wait_memory", WaitKind::socket},
    Waiter{"sk_wait_data", WaitKind::socket},
    Waiter{"start_this_handle", WaitKind::journal},
    Waiter{"throttle_direct_reclaim", WaitKind::memory},
    Waiter{"unix_stream_data_wait", WaitKind::socket},
    Waiter{"unix_stream_read_generic", WaitKind::socket},
    Waiter{"unix_wait_for_peer", WaitKind::socket},
    Waiter{"usleep_range_state", WaitKind::timer},
    Waiter{"wait_for_completion", WaitKind::completion},
    Waiter{"wait_for_completion_interruptible", WaitKind::completion},
    Waiter{"wait_for_completion_io", WaitKind::completion},
    Waiter{"wait_for_completion_killable", WaitKind::completion},
    Waiter{"wait_for_completion_state", WaitKind::completion},
    Waiter{"wait_for_completion_timeout", WaitKind::completion},
    Waiter{"wait_for_partner", WaitKind::pipe_read},
    Waiter{"wait_on_page_bit_common", WaitKind::page},
    Waiter{"wait_transaction_locked", WaitKind::journal},
};
static_assert(std::ranges::is_sorted(kKnownWaiters, {}, &Waiter::function));

}  // namespace

std::string_view name(WaitKind kind) {
  constexpr std::array<std::string_view, 32> kNames{
      "",          "mutex",        "rwsem read", "rwsem write", "semaphore",
      "rt_mutex",  "percpu_rwsem", "completion", "futex",       "futex pi",
      "pipe read", "pipe write",   "child",      "page",        "buffer",
      "io",        "journal",      "memory",     "user fault",  "file lock",
      "fuse",      "rpc",          "epoll",      "poll",        "timer",
      "signal",    "socket",       "terminal",   "ipc",         "frozen",
      "stopped",   "work"};
  return kNames.at(static_cast<std::size_t>(kind));
}

Told told_by(std::string_view function) {
  function = function.substr(0, function.find('.'));
  const auto found = std::ranges::lower_bound(kKnownWaiters, function, {}, &Waiter::function);
  if (found != kKnownWaiters.end() && found->function == function)
    return {found->kind, found->telling};
  const bool machinery = std::ranges::any_of(
      kMachinery, [function](std::string_view begin) { return function.starts_with(begin); });
  return {WaitKind::none, machinery ? Telling::machinery : Telling::nothing};
}

}  // namespace vitrine::views
