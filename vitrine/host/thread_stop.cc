#include "vitrine/host/thread_stop.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <thread>
#include <utility>

#include "vitrine/host/child_signal.h"
#include "vitrine/host/keeper.h"
#include "vitrine/host/rights.h"

namespace vitrine::host {
namespace {

using base::Code;
using base::fail;
using Clock = std::chrono::steady_clock;

// Threads that are being started while others are stopped: each round finds what the last one's
// threads started before they stood still.
constexpr int kMaximumRounds = 100;

// For what is not stopped when all are let go: threads that are being killed, or still run because
// another could not be seized.
constexpr std::chrono::milliseconds kLettingGo{200};

// ptrace's variadic arguments have to be as wide as the kernel's.
long trace(__ptrace_request request, pid_t thread, long data = 0) {
  return ptrace(request, thread, 0L, data);
}

// Whether another process of this kind holds one of its threads.
bool held_by_keeper(pid_t process) {
  return std::ranges::any_of(threads(process), [](pid_t thread) {
    const auto status = read_file(ProcRoot().of(thread, "status")).value_or("");
    const auto tracer = status_number(status, "TracerPid").value_or(0);
    const auto stat = process_stat(static_cast<pid_t>(tracer));
    return tracer != 0 && stat && stat->comm.starts_with(kKeeperPrefix);
  });
}

base::Error no_tracing(pid_t process, pid_t thread) {
  const auto status = read_file(ProcRoot().of(thread, "status")).value_or("");
  if (const auto tracer = status_number(status, "TracerPid").value_or(0); tracer != 0)
    return {
        Code::denied,
        fmt::format("process {} is being traced by process {}, and only one can", process, tracer),
        "end the debugger or the other tool that holds it"};
  return explain_denial(process);
}

}  // namespace

base::Result<void> can_be_stopped(const ProcessIdentity& process) {
  // Opening it takes what tracing takes (PTRACE_MODE_ATTACH).
  const std::string memory = ProcRoot().of(process.pid, "mem");
  const base::FileDescriptor opened(open(memory.c_str(), O_RDONLY | O_CLOEXEC));
  if (!opened.valid()) return fail(explain_denial(process.pid));
  if (held_by_keeper(process.pid)) return {};
  for (const pid_t thread : threads(process.pid)) {
    const auto status = read_file(ProcRoot().of(thread, "status")).value_or("");
    if (status_number(status, "TracerPid").value_or(0) != 0)
      return fail(no_tracing(process.pid, thread));
  }
  return {};
}

base::Result<ThreadStop> ThreadStop::begin(const ProcessIdentity& process,
                                           std::chrono::milliseconds limit) {
  const Clock::time_point deadline = Clock::now() + limit;
  // A denial that no keeper explains any more may have been one's that let go meanwhile.
  bool unexplained = false;
  while (true) {
    auto stop = attempt(process, deadline);
    if (stop || stop.error().code != Code::denied || Clock::now() >= deadline) return stop;
    const bool held = held_by_keeper(process.pid);
    if (!held && unexplained) return stop;
    unexplained = !held;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

base::Result<ThreadStop> ThreadStop::attempt(const ProcessIdentity& process,
                                             Clock::time_point deadline) {
  ThreadStop stop(process);
  // All are seized before one is interrupted: only what follows costs the process time.
  for (int round = 0; round < kMaximumRounds; ++round) {
    const auto more = stop.seize_more();
    if (!more) return fail(more.error());
    if (!*more && round > 0) {
      if (stop.threads_.empty()) break;
      return stop;
    }
    if (round == 0) stop.since_ = Clock::now();
    for (const pid_t thread : stop.running()) trace(PTRACE_INTERRUPT, thread);
    if (auto stopped = stop.wait_until_stopped(deadline); !stopped) return fail(stopped.error());
  }
  if (!alive(process)) return fail(Code::gone, fmt::format("process {} ended", process.pid));
  return fail(
      Code::timeout,
      fmt::format("process {} starts threads faster than they can be stopped", process.pid));
}

ThreadStop::~ThreadStop() { end(); }

ThreadStop::ThreadStop(ThreadStop&& other) noexcept
    : process_(other.process_),
      since_(other.since_),
      threads_(std::exchange(other.threads_, {})),
      skipped_(std::move(other.skipped_)),
      unstoppable_(std::move(other.unstoppable_)) {}

ThreadStop& ThreadStop::operator=(ThreadStop&& other) noexcept {
  std::swap(process_, other.process_);
  std::swap(since_, other.since_);
  std::swap(threads_, other.threads_);
  std::swap(skipped_, other.skipped_);
  std::swap(unstoppable_, other.unstoppable_);
  return *this;
}

bool ThreadStop::known(pid_t id) const {
  return std::ranges::find(threads_, id, &Thread::id) != threads_.end() ||
         std::ranges::find(skipped_, id) != skipped_.end();
}

// Whether there were threads that were not seized yet.
base::Result<bool> ThreadStop::seize_more() {
  bool more = false;
  for (const pid_t id : threads(process_.pid)) {
    if (known(id)) continue;
    more = true;
    if (auto seized = seize(id); !seized) return fail(seized.error());
  }
  // A process that took the number of one that ended must not be held.
  if (!alive(process_)) return fail(Code::gone, fmt::format("process {} ended", process_.pid));
  return more;
}

base::Result<void> ThreadStop::seize(pid_t id) {
  if (trace(PTRACE_SEIZE, id) == 0) {
    threads_.push_back({id});
    return {};
  }
  const int error = errno;
  skipped_.push_back(id);
  if (error == ESRCH) return {};
  const auto stat = process_stat(id, ProcRoot{ProcRoot().of(process_.pid, "task")});
  if (!stat || stat->state == 'Z' || stat->state == 'X') return {};
  // The first is the process's own; what cannot be traced though that one can is the kernel's.
  const auto status = read_file(ProcRoot().of(id, "status")).value_or("");
  if (threads_.empty() || status_number(status, "TracerPid").value_or(0) != 0)
    return fail(no_tracing(process_.pid, id));
  unstoppable_.push_back(fmt::format("{} ({})", stat->comm, id));
  return {};
}

std::vector<pid_t> ThreadStop::running() const {
  std::vector<pid_t> ids;
  for (const Thread& thread : threads_)
    if (!thread.stopped) ids.push_back(thread.id);
  return ids;
}

// Takes note of threads that stopped or ended; whether there were any.
bool ThreadStop::collect() {
  bool any = false;
  std::erase_if(threads_, [&any](Thread& thread) {
    int status = 0;
    const pid_t got = waitpid(thread.id, &status, __WALL | WNOHANG);
    if (got == 0) return false;
    any = true;
    if (got != thread.id || !WIFSTOPPED(status)) return true;
    thread.stopped = true;
    // Stopped by us, or by its own SIGSTOP, it is to receive nothing.
    const bool of_ptrace = (status >> 16) == PTRACE_EVENT_STOP;
    if (!of_ptrace) thread.signal = WSTOPSIG(status);
    return false;
  });
  return any;
}

base::Result<void> ThreadStop::wait_until_stopped(Clock::time_point deadline) {
  ChildSignal signal;
  while (true) {
    const bool progress = collect();
    const std::vector<pid_t> still = running();
    if (still.empty()) return {};
    if (Clock::now() >= deadline)
      return fail(Code::timeout,
                  fmt::format("{} of the threads of process {} could not be stopped in time ({}): "
                              "they wait for a device, most likely",
                              still.size(), process_.pid, fmt::join(still, ", ")),
                  "try again; --pause=vmm waits for the VM's disks");
    if (!progress) signal.wait();
  }
}

std::vector<pid_t> ThreadStop::idle() const {
  std::vector<pid_t> ids;
  for (const Thread& thread : threads_)
    if (thread.signal == 0) ids.push_back(thread.id);
  return ids;
}

void ThreadStop::reap() { collect(); }

// Only a stopped thread can be let go. One that is being killed cannot be either, but has to be
// waited for: the process's first thread is not to be had before all others were.
bool ThreadStop::end() {
  const Clock::time_point deadline = Clock::now() + kLettingGo;
  for (const pid_t thread : running()) trace(PTRACE_INTERRUPT, thread);
  ChildSignal signal;
  while (!threads_.empty()) {
    collect();
    std::erase_if(threads_, [](const Thread& thread) {
      return thread.stopped && trace(PTRACE_DETACH, thread.id, thread.signal) == 0;
    });
    if (threads_.empty()) break;
    if (Clock::now() >= deadline) return false;
    signal.wait();
  }
  return true;
}

}  // namespace vitrine::host
