// Every thread of another process stopped at one instant, by ptrace(2), and let go again.
//
// Nothing of a thread is changed: what interrupts it is not seen by the program, a system call it
// waits in is restarted, a signal that arrives meanwhile is delivered afterwards, and a process
// that was stopped before (SIGSTOP) stays so. Should the tracing process die, whatever kills it,
// the host kernel lets the threads go on.
//
// Thread contract: of one thread, which is the tracer; hidden behind host/freezer.h, which makes it
// a process of its own. Effect: the process stands still; a system call that a signal may interrupt
// without being restarted (epoll_wait, io_getevents) ends early with EINTR, as under any debugger.
// Cost: about 0.1 ms, and as long as a thread stays in an uninterruptible sleep.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/host/process.h"

namespace vitrine::host {

class ThreadStop {
 public:
  // Stops all threads, those included that are started meanwhile. Errors: `timeout` where one could
  // not be stopped within `limit`, `denied` where the host does not let us (see rights.h) or a
  // debugger has it, `gone` where the process ended. After an error nothing is stopped; but a
  // thread that cannot be stopped even now is let go only when the calling process ends, which it
  // should.
  // Where another keeper (keeper.h) holds the process, waits for it within the same limit.
  static base::Result<ThreadStop> begin(const ProcessIdentity& process,
                                        std::chrono::milliseconds limit);

  ~ThreadStop();
  ThreadStop(ThreadStop&& other) noexcept;
  ThreadStop& operator=(ThreadStop&& other) noexcept;

  // Lets all threads go on, within 0.2 s. False where one could not be had: see begin().
  bool end();

  // Takes note of threads that ended: only SIGKILL ends a stopped one. To be called now and then,
  // since until then the process cannot be waited for by its parent.
  void reap();

  // Threads that the host kernel runs for the process (io_uring, vhost) and that nobody can stop.
  std::span<const std::string> unstoppable() const { return unstoppable_; }
  // When the first of them was told to stop.
  std::chrono::steady_clock::time_point since() const { return since_; }
  // Threads that may be made to do something else meanwhile: those that no signal waits for.
  std::vector<pid_t> idle() const;

 private:
  struct Thread {
    pid_t id = 0;
    bool stopped = false;
    int signal = 0;  // to be delivered when it goes on
  };

  static base::Result<ThreadStop> attempt(const ProcessIdentity& process,
                                          std::chrono::steady_clock::time_point deadline);
  explicit ThreadStop(const ProcessIdentity& process) : process_(process) {}
  base::Result<bool> seize_more();
  base::Result<void> seize(pid_t id);
  bool known(pid_t id) const;
  bool collect();
  std::vector<pid_t> running() const;
  base::Result<void> wait_until_stopped(std::chrono::steady_clock::time_point deadline);

  ProcessIdentity process_;
  std::chrono::steady_clock::time_point since_;
  std::vector<Thread> threads_;
  std::vector<pid_t> skipped_;  // ids that cannot be, or need not be, stopped
  std::vector<std::string> unstoppable_;
};

// Whether the process's threads could be stopped, as far as that can be told without trying.
// Errors: `denied` where rights are missing, or where somebody else traces it.
base::Result<void> can_be_stopped(const ProcessIdentity& process);

}  // namespace vitrine::host
