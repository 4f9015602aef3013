#include "vitrine/host/remote_calls.h"

#include <elf.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <cerrno>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "vitrine/host/child_signal.h"
#include "vitrine/host/mappings.h"
#include "vitrine/host/memory_read.h"
#include "vitrine/host/process.h"

namespace vitrine::host {
namespace {

using base::Code;
using base::fail;

constexpr std::string_view kSyscall = "\x0f\x05";
// All signals but SIGTRAP, which tells of a step: were it blocked, the kernel would change what the
// process does about it.
constexpr std::uint64_t kBlocked = ~(std::uint64_t{1} << (SIGTRAP - 1));

// A signal or an event may stop the thread before its step is made.
constexpr int kMostSteps = 8;

template <class Address, class Data>
long trace(__ptrace_request request, pid_t thread, Address address, Data data) {
  return ptrace(request, thread, address, data);
}

bool get_registers(pid_t thread, user_regs_struct& registers) {
  iovec whole{&registers, sizeof registers};
  // A 32-bit program has fewer.
  return trace(PTRACE_GETREGSET, thread, static_cast<long>(NT_PRSTATUS), &whole) == 0 &&
         whole.iov_len == sizeof registers;
}

// Waits for what the thread does next. False where it is being killed: the first thread of a
// process is not to be waited for before all others were.
bool wait_for(pid_t thread, int& status) {
  ChildSignal signal;
  while (true) {
    const pid_t got = waitpid(thread, &status, __WALL | WNOHANG);
    if (got == thread) return true;
    if (got < 0) return false;
    if (signal.wait()) continue;
    const auto stat = process_stat(thread);
    if (!stat || stat->state == 'Z' || stat->state == 'X') return false;
  }
}

bool set_registers(pid_t thread, user_regs_struct registers) {
  iovec whole{&registers, sizeof registers};
  return trace(PTRACE_SETREGSET, thread, static_cast<long>(NT_PRSTATUS), &whole) == 0;
}

// The instruction in executable memory from `mapping`, or nothing.
std::optional<base::HostVirtual> find_in(pid_t process, const Mapping& mapping) {
  constexpr std::uint64_t kMost = 4 << 20;
  std::string bytes(std::min(mapping.size(), kMost), '\0');
  RemoteRead whole{mapping.start, std::as_writable_bytes(std::span(bytes))};
  if (!ProcessVmReader(process).read({&whole, 1}) || !whole.ok) return std::nullopt;
  const auto at = bytes.find(kSyscall);
  if (at == std::string_view::npos) return std::nullopt;
  return mapping.start + at;
}

// What a system call answers that something interrupted before it did anything: ERESTARTSYS and its
// kin, which no program sees (include/linux/errno.h).
bool to_be_restarted(std::int64_t answer) { return answer <= -512 && answer >= -516; }

}  // namespace

base::Result<base::HostVirtual> find_syscall(pid_t process) {
  const auto all = mappings(process);
  if (!all) return fail(all.error());
  for (const std::string_view name : {"[vdso]", "/libc.so", "/libc-", "/ld-"}) {
    for (const Mapping& mapping : *all) {
      if (!mapping.exec || mapping.path.find(name) == std::string::npos) continue;
      if (const auto found = find_in(process, mapping)) return *found;
    }
  }
  return fail(Code::unsupported,
              fmt::format("process {} has no system call instruction that could be used", process));
}

base::Result<RemoteCalls> RemoteCalls::begin(pid_t thread, base::HostVirtual syscall) {
  RemoteCalls calls(thread, syscall);
  const base::Error denied{Code::unreadable,
                           fmt::format("the registers of thread {} cannot be had", thread)};
  if (!get_registers(thread, calls.before_) ||
      trace(PTRACE_GETSIGMASK, thread, sizeof kBlocked, &calls.signals_before_) != 0) {
    calls.thread_ = 0;
    return fail(denied);
  }
  if (trace(PTRACE_SETSIGMASK, thread, sizeof kBlocked, &kBlocked) != 0) {
    calls.thread_ = 0;
    return fail(denied);
  }
  return calls;
}

RemoteCalls::RemoteCalls(RemoteCalls&& other) noexcept
    : thread_(std::exchange(other.thread_, 0)),
      syscall_(other.syscall_),
      before_(other.before_),
      signals_before_(other.signals_before_),
      started_(other.started_),
      stop_again_(other.stop_again_) {}

RemoteCalls::~RemoteCalls() { end(); }

void RemoteCalls::end() {
  if (thread_ == 0) return;
  set_registers(thread_, before_);
  trace(PTRACE_SETSIGMASK, thread_, sizeof signals_before_, &signals_before_);
  if (stop_again_) kill(thread_, SIGSTOP);
  thread_ = 0;
}

base::Result<std::int64_t> RemoteCalls::call(long number, const Arguments& arguments) {
  const base::Error gone{Code::gone, fmt::format("thread {} ended", thread_)};
  user_regs_struct registers = before_;
  registers.rip = syscall_.value;
  registers.rax = static_cast<std::uint64_t>(number);
  registers.orig_rax = ~std::uint64_t{0};  // none: there is nothing to be restarted
  registers.rdi = arguments[0];
  registers.rsi = arguments[1];
  registers.rdx = arguments[2];
  registers.r10 = arguments[3];
  registers.r8 = arguments[4];
  registers.r9 = arguments[5];
  started_.reset();
  const user_regs_struct asked = registers;
  if (!set_registers(thread_, registers)) return fail(gone);
  for (int i = 0; i < kMostSteps; ++i) {
    const auto past = step();
    if (!past) return fail(past.error());
    if (!*past) continue;
    if (!get_registers(thread_, registers)) return fail(gone);
    if (registers.rip == syscall_.value) continue;
    const auto answer = static_cast<std::int64_t>(registers.rax);
    if (!to_be_restarted(answer)) return answer;
    if (!set_registers(thread_, asked)) return fail(gone);
  }
  return fail(Code::inconsistent, fmt::format("thread {} does not make a system call", thread_));
}

// Whether the thread made a step, and was not stopped on its way by something else.
base::Result<bool> RemoteCalls::step() {
  if (trace(PTRACE_SINGLESTEP, thread_, 0L, 0L) != 0)
    return base::fail_errno(errno, "ptrace", fmt::format("thread {} cannot go on", thread_));
  int status = 0;
  if (!wait_for(thread_, status) || !WIFSTOPPED(status)) {
    const pid_t thread = std::exchange(thread_, 0);
    return fail(Code::gone, fmt::format("thread {} was killed", thread));
  }
  const int event = status >> 16;
  if (event == PTRACE_EVENT_CLONE || event == PTRACE_EVENT_FORK) {
    unsigned long child = 0;
    if (trace(PTRACE_GETEVENTMSG, thread_, 0L, &child) == 0) started_ = static_cast<pid_t>(child);
  }
  // Only SIGSTOP gets past the mask: it is for later.
  if (event == 0 && WSTOPSIG(status) == SIGSTOP) stop_again_ = true;
  return event == 0 && WSTOPSIG(status) == SIGTRAP;
}

}  // namespace vitrine::host
