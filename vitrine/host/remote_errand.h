// All threads of a process stopped, and one of them at hand to make system calls in its name.
//
// Thread contract and effect: as thread_stop.h and remote_calls.h.
#pragma once

#include <chrono>

#include "vitrine/base/address.h"
#include "vitrine/base/result.h"
#include "vitrine/host/process.h"
#include "vitrine/host/remote_calls.h"
#include "vitrine/host/thread_stop.h"

namespace vitrine::host {

class RemoteErrand {
 public:
  // `syscall`: what find_syscall said. Errors: as ThreadStop::begin and RemoteCalls::begin;
  // `denied` where a seccomp filter would end the process and cannot be suspended.
  static base::Result<RemoteErrand> begin(const ProcessIdentity& process, base::HostVirtual syscall,
                                          std::chrono::milliseconds limit);

  RemoteCalls& calls() { return calls_; }

  // Gives the thread its registers back and lets all go on; the destructor does, too. How long the
  // process stood still.
  std::chrono::nanoseconds end();

 private:
  RemoteErrand(ThreadStop stop, RemoteCalls calls)
      : stop_(std::move(stop)), calls_(std::move(calls)) {}

  ThreadStop stop_;    // ends last
  RemoteCalls calls_;  // ends first
};

}  // namespace vitrine::host
