// Hears of what a traced thread does without waiting for it unboundedly.
//
// Thread contract: of the thread that traces; SIGCHLD is blocked in it while this exists.
#pragma once

#include <signal.h>

#include <ctime>

namespace vitrine::host {

class ChildSignal {
 public:
  ChildSignal() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGCHLD);
    pthread_sigmask(SIG_BLOCK, &set_, &before_);
  }
  ~ChildSignal() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  ChildSignal(const ChildSignal&) = delete;
  ChildSignal& operator=(const ChildSignal&) = delete;

  // Waits for one, but at most a millisecond: another thread of this process may have taken it.
  // Whether there was one.
  bool wait() {
    const timespec limit{0, 1'000'000};
    return sigtimedwait(&set_, nullptr, &limit) >= 0;
  }

 private:
  sigset_t set_{};
  sigset_t before_{};
};

}  // namespace vitrine::host
