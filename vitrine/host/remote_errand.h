// All threads of a process stopped, and one of them at hand to make system calls in its name.
//
// Thread contract and effect: as thread_stop.h and remote_calls.h.
#pragma once

#include <chrono>
#include <span>
#include <string>

#include "vitrine/base/address.h"
#include "vitrine/base/result.h"
#include "vitrine/host/process.h"
#include "vitrine/host/remote_calls.h"
#include "vitrine/host/thread_stop.h"

namespace vitrine::host {

// Whether the thread, or process, has a seccomp filter.
bool under_seccomp(pid_t thread);
// The error where that cannot be suspended.
base::Error seccomp_in_the_way();

// Has the stopped `thread`, and the processes it starts, suffer system calls of ours: what it
// starts is traced from its beginning, and no seccomp filter applies. `more`: options of ptrace(2)
// besides. Error: `denied` where there is a filter that the host does not let us suspend.
base::Result<void> prepare_for_calls(pid_t thread, long more = 0);

class RemoteErrand {
 public:
  // `syscall`: what find_syscall said. Errors: as ThreadStop::begin and RemoteCalls::begin;
  // `denied` where a seccomp filter would end the process and cannot be suspended.
  static base::Result<RemoteErrand> begin(const ProcessIdentity& process, base::HostVirtual syscall,
                                          std::chrono::milliseconds limit);

  RemoteCalls& calls() { return calls_; }

  // Threads of the host kernel that go on nevertheless: see ThreadStop.
  std::span<const std::string> unstoppable() const { return stop_.unstoppable(); }

  // Gives the thread its registers back and lets all go on; the destructor does, too. How long the
  // process stood still.
  std::chrono::nanoseconds end();
  // Whether all were let go: see ThreadStop::end.
  bool let_go() const { return let_go_; }

 private:
  RemoteErrand(ThreadStop stop, RemoteCalls calls)
      : stop_(std::move(stop)), calls_(std::move(calls)) {}

  ThreadStop stop_;    // ends last
  RemoteCalls calls_;  // ends first
  bool let_go_ = true;
};

}  // namespace vitrine::host
