#include "vitrine/host/detached_process.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "vitrine/host/blocked_signals.h"

namespace vitrine::host {
namespace {

void ignore_signals() {
  for (int number = 1; number < NSIG; ++number) {
    // A crash of the process itself has to end it. SIGCHLD does nothing by default, and who traces
    // has to hear of it.
    if (number == SIGSEGV || number == SIGBUS || number == SIGILL || number == SIGFPE ||
        number == SIGABRT || number == SIGCHLD)
      signal(number, SIG_DFL);
    else
      signal(number, SIG_IGN);
  }
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, nullptr);
}

void close_all_but(std::vector<int> kept) {
  std::ranges::sort(kept);
  unsigned from = 0;
  for (const int descriptor : kept) {
    if (descriptor < 0) continue;
    const auto number = static_cast<unsigned>(descriptor);
    if (number > from) syscall(SYS_close_range, from, number - 1, 0);
    from = std::max(from, number + 1);
  }
  syscall(SYS_close_range, from, ~0u, 0);
}

}  // namespace

base::Result<void> start_detached(const char* name, std::span<const int> descriptors,
                                  const std::function<void()>& life) {
  // What a terminal or kill(2) sends to a whole group would otherwise end the process where it has
  // not left the group yet.
  const BlockedSignals until_it_ignores_them;
  // Twice, so that nobody has to wait for its end: init does.
  const pid_t child = fork();
  if (child < 0) return base::fail_errno(errno, "fork", "cannot start a guardian process");
  if (child == 0) {
    if (const pid_t grandchild = fork(); grandchild != 0) _exit(grandchild < 0 ? errno : 0);
    // Not setsid(): Linux schedules each session as a group, and a new one was seen to wait 20 s
    // for a processor beside a busy VMM.
    setpgid(0, 0);
    ignore_signals();
    prctl(PR_SET_NAME, name);
    close_all_but({descriptors.begin(), descriptors.end()});
    life();
    _exit(0);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
    return base::fail_errno(WEXITSTATUS(status), "fork", "cannot start a guardian process");
  return {};
}

}  // namespace vitrine::host
