#include "vitrine/host/remote_errand.h"

#include <fmt/format.h>
#include <sys/ptrace.h>

namespace vitrine::host {
namespace {

using base::Code;
using base::fail;

// Has the thread's new processes traced from their beginning, and its system calls not filtered.
base::Result<void> set_options(pid_t thread) {
  const auto status = read_file(ProcRoot().of(thread, "status"));
  const bool filtered = !status || status_number(*status, "Seccomp").value_or(1) != 0;
  long options = PTRACE_O_TRACECLONE;
  if (filtered) options |= PTRACE_O_SUSPEND_SECCOMP;
  if (ptrace(PTRACE_SETOPTIONS, thread, 0L, options) == 0) return {};
  return fail(Code::denied,
              "the VMM runs under a seccomp filter that would end it for what is needed here, and "
              "this host does not let us suspend it",
              "that takes CAP_SYS_ADMIN and a kernel with CONFIG_CHECKPOINT_RESTORE; or use "
              "--technique background-snapshot");
}

}  // namespace

base::Result<RemoteErrand> RemoteErrand::begin(const ProcessIdentity& process,
                                               base::HostVirtual syscall,
                                               std::chrono::milliseconds limit) {
  auto stop = ThreadStop::begin(process, limit);
  if (!stop) return fail(stop.error());
  const auto thread = stop->idle();
  if (!thread)
    return fail(Code::unreadable,
                fmt::format("every thread of process {} has a signal to handle", process.pid),
                "try again");
  if (auto set = set_options(*thread); !set) return fail(set.error());
  auto calls = RemoteCalls::begin(*thread, syscall);
  if (!calls) return fail(calls.error());
  return RemoteErrand(std::move(*stop), std::move(*calls));
}

std::chrono::nanoseconds RemoteErrand::end() {
  calls_.end();
  stop_.end();
  return std::chrono::steady_clock::now() - stop_.since();
}

}  // namespace vitrine::host
