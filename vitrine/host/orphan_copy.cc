#include "vitrine/host/orphan_copy.h"

#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "vitrine/host/proc_root.h"
#include "vitrine/host/remote_errand.h"

namespace vitrine::host {
namespace {

using base::Code;
using base::fail;

// Where the child's stack would be: should it ever run on, it dies of its first use of it.
constexpr std::uint64_t kNoStack = 16;

struct Child {
  pid_t pid = 0;            // as we see it
  std::int64_t number = 0;  // as its parent does, which may live in a namespace of its own
};

// Ends a child, and has its parent wait for it: whether nothing is left of it.
bool end_child(RemoteCalls& parent, const Child& child) {
  end_traced(child.pid);
  const auto waited = parent.call(SYS_wait4, {static_cast<std::uint64_t>(child.number), 0,
                                              static_cast<std::uint64_t>(__WALL | WNOHANG)});
  return waited && *waited == child.number;
}

// Has the process of `calls` clone itself, and waits until the child stands still, which ends with
// us. Errors: as RemoteCalls::call, and clone(2)'s own.
base::Result<Child> clone_in(RemoteCalls& calls, std::uint64_t flags) {
  // No exit signal: the process hears nothing of it.
  const auto number = calls.call(SYS_clone, {flags, kNoStack});
  const auto started = calls.started();
  if (started) {
    int status = 0;
    waitpid(*started, &status, __WALL);
    const auto prepared = prepare_for_calls(*started, PTRACE_O_EXITKILL);
    if (number && prepared) return Child{*started, *number};
    if (!number) {
      end_traced(*started);
      return fail(number.error());
    }
    end_child(calls, {*started, *number});
    return fail(prepared.error());
  }
  if (!number) return fail(number.error());
  if (*number < 0)
    return base::fail_errno(static_cast<int>(-*number), "clone",
                            "the VMM's process cannot be copied");
  return fail(Code::inconsistent, "the copy of the VMM's process is not traced");
}

}  // namespace

// Not a child of the process, which would have to wait for its end: a child that shares its memory
// clones it, ends at once and is waited for, so that the copy belongs to init.
base::Result<pid_t> clone_orphan(RemoteCalls& calls, base::HostVirtual syscall) {
  const auto parent = clone_in(calls, CLONE_VM | CLONE_FS | CLONE_FILES);
  if (!parent) return fail(parent.error());
  base::Result<Child> copy;
  if (auto its_calls = RemoteCalls::begin(parent->pid, syscall))
    copy = clone_in(*its_calls, 0);
  else
    copy = fail(its_calls.error());
  const bool nothing_left = end_child(calls, *parent);
  if (!copy) return fail(copy.error());
  if (nothing_left) return copy->pid;
  end_traced(copy->pid);
  return fail(Code::inconsistent,
              "the child of the VMM that was to copy it could not be collected");
}

base::Result<void> settle_copy(pid_t copy, base::HostVirtual syscall) {
  auto calls = RemoteCalls::begin(copy, syscall);
  if (!calls) return fail(calls.error());
  const auto closed = calls->call(SYS_close_range, {0, ~std::uint32_t{0}, 0});
  if (!closed) return fail(closed.error());
  if (*closed != 0)
    return fail(
        cannot_be_copied("the copy would keep its files open: this host has no close_range(2)"));
  std::ofstream score(ProcRoot().of(copy, "oom_score_adj"));
  if (score << 1000 << std::flush) return {};
  return fail(Code::denied, "the copy of the VM cannot be made the first to be ended for memory",
              "that takes the VMM's own user or CAP_DAC_OVERRIDE");
}

void end_traced(pid_t process) {
  kill(process, SIGKILL);
  int status = 0;
  while (waitpid(process, &status, __WALL) == process && WIFSTOPPED(status))
    ptrace(PTRACE_CONT, process, 0L, 0L);
}

base::Error cannot_be_copied(const std::string& why) {
  return {Code::unsupported, "the VM's memory cannot be copied, since " + why,
          "use --technique background-snapshot or dump"};
}

}  // namespace vitrine::host
