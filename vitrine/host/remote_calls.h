// System calls made by a stopped thread of another process, which knows nothing of it afterwards.
//
// The thread executes a `syscall` instruction that its process has anyway, one step at a time, with
// registers of ours and all signals blocked; then it gets its own back, so that a system call that
// was interrupted is restarted. No memory of the process is written, and none of its code changed.
//
// Thread contract: of the thread that traces. Between begin() and end() the tracer must not die:
// use it only in a keeper (keeper.h), and briefly. Cost: some 20 us a call, and the call's own.
// Source: ptrace(2); arch/x86/kernel/signal.c for what restarts system calls.
#pragma once

#include <sys/types.h>
#include <sys/user.h>

#include <array>
#include <cstdint>
#include <optional>

#include "vitrine/base/address.h"
#include "vitrine/base/result.h"

namespace vitrine::host {

// The address of a `syscall` instruction in the process's vdso or C library. Errors: `unsupported`
// where there is none, as host::mappings.
base::Result<base::HostVirtual> find_syscall(pid_t process);

class RemoteCalls {
 public:
  // `thread` is stopped and traced by us, and no signal waits to be delivered to it. Error:
  // `unreadable` where its registers cannot be had.
  static base::Result<RemoteCalls> begin(pid_t thread, base::HostVirtual syscall);

  ~RemoteCalls();
  RemoteCalls(RemoteCalls&& other) noexcept;
  RemoteCalls& operator=(RemoteCalls&&) = delete;

  using Arguments = std::array<std::uint64_t, 6>;

  // What the call returns: below 0 an errno. Error: `gone` where the thread was killed meanwhile.
  base::Result<std::int64_t> call(long number, const Arguments& arguments);

  // The process that the last call started, stopped before its first instruction; only where
  // PTRACE_O_TRACECLONE is set.
  std::optional<pid_t> started() const { return started_; }

  pid_t thread() const { return thread_; }
  // Whether it was interrupted in a system call, and not amid its program's own work.
  bool in_system_call() const { return static_cast<std::int64_t>(before_.orig_rax) >= 0; }

  // Gives the thread its registers and signal mask back; the destructor does, too.
  void end();

 private:
  RemoteCalls(pid_t thread, base::HostVirtual syscall) : thread_(thread), syscall_(syscall) {}
  base::Result<bool> step();

  pid_t thread_;
  base::HostVirtual syscall_;
  user_regs_struct before_{};
  std::uint64_t signals_before_ = 0;
  std::optional<pid_t> started_;
  bool stop_again_ = false;  // a SIGSTOP came meanwhile
};

}  // namespace vitrine::host
