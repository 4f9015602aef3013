#include "vitrine/host/remote_errand.h"

#include <fmt/format.h>
#include <sys/ptrace.h>

#include <optional>

namespace vitrine::host {

using base::Code;
using base::fail;

bool under_seccomp(pid_t thread) {
  const auto status = read_file(ProcRoot().of(thread, "status"));
  return !status || status_number(*status, "Seccomp").value_or(1) != 0;
}

base::Error seccomp_in_the_way() {
  return {Code::denied,
          "the VMM runs under a seccomp filter that would end it for what is needed here, and "
          "this host does not let us suspend it",
          "that takes CAP_SYS_ADMIN and a kernel with CONFIG_CHECKPOINT_RESTORE; or use "
          "--technique background-snapshot"};
}

base::Result<void> prepare_for_calls(pid_t thread, long more) {
  long options = PTRACE_O_TRACECLONE | more;
  if (under_seccomp(thread)) options |= PTRACE_O_SUSPEND_SECCOMP;
  if (ptrace(PTRACE_SETOPTIONS, thread, 0L, options) == 0) return {};
  return fail(seccomp_in_the_way());
}

base::Result<RemoteErrand> RemoteErrand::begin(const ProcessIdentity& process,
                                               base::HostVirtual syscall,
                                               std::chrono::milliseconds limit) {
  auto stop = ThreadStop::begin(process, limit);
  if (!stop) return fail(stop.error());
  // Best one that waits in a system call: its program is in no critical section (rseq(2)).
  std::optional<RemoteCalls> chosen;
  for (const pid_t thread : stop->idle()) {
    auto calls = RemoteCalls::begin(thread, syscall);
    if (!calls) return fail(calls.error());
    if (chosen && !calls->in_system_call()) continue;
    chosen.emplace(std::move(*calls));
    if (chosen->in_system_call()) break;
  }
  if (!chosen)
    return fail(Code::unreadable,
                fmt::format("every thread of process {} has a signal to handle", process.pid),
                "try again");
  if (auto set = prepare_for_calls(chosen->thread()); !set) return fail(set.error());
  return RemoteErrand(std::move(*stop), std::move(*chosen));
}

std::chrono::nanoseconds RemoteErrand::end() {
  calls_.end();
  let_go_ = stop_.end();
  return std::chrono::steady_clock::now() - stop_.since();
}

}  // namespace vitrine::host
