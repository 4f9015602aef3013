// Blocks every signal that can be blocked, in the calling thread and in what it starts meanwhile: a
// thread that signals are not for, or a process that has yet to ignore them.
//
// Thread contract: of the thread that made it, which also ends it.
#pragma once

#include <signal.h>

namespace vitrine::host {

class BlockedSignals {
 public:
  BlockedSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~BlockedSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace vitrine::host
