#include "vitrine/techniques/pipe_drain.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <system_error>
#include <vector>

namespace vitrine::techniques {
namespace {

constexpr int kPipeBytes = 1 << 20;
constexpr std::size_t kReadBytes = 1 << 20;

// Signals are for the program's own threads.
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

}  // namespace

base::Result<std::unique_ptr<PipeDrain>> PipeDrain::start(Consumer consumer) {
  std::unique_ptr<PipeDrain> drain(new PipeDrain(std::move(consumer)));
  if (auto opened = drain->open(); !opened) return base::fail(opened.error());
  const BlockedSignals blocked;
  try {
    drain->thread_ = std::thread(&PipeDrain::run, drain.get());
  } catch (const std::system_error& error) {
    return base::fail_errno(error.code().value(), "pthread_create", "cannot start a thread");
  }
  return drain;
}

base::Result<void> PipeDrain::open() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0)
    return base::fail_errno(errno, "pipe2", "cannot make a pipe for the memory image");
  reader_ = base::FileDescriptor(ends[0]);
  writer_ = base::FileDescriptor(ends[1]);
  // Where the user's share of pipe memory is used up the pipe stays smaller, and all the slower.
  fcntl(reader_.get(), F_SETPIPE_SZ, kPipeBytes);
  stop_ = base::FileDescriptor(eventfd(0, EFD_CLOEXEC));
  if (!stop_.valid()) return base::fail_errno(errno, "eventfd", "cannot make an event descriptor");
  return {};
}

PipeDrain::~PipeDrain() {
  if (!thread_.joinable()) return;
  eventfd_write(stop_.get(), 1);
  thread_.join();
}

void PipeDrain::run() {
  auto drained = drain();
  // Whoever still writes learns that nobody reads.
  reader_ = base::FileDescriptor();
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    if (!drained) error_ = drained.error();
  }
  changed_.notify_all();
}

base::Result<void> PipeDrain::drain() {
  std::vector<std::byte> buffer(kReadBytes);
  while (true) {
    std::array<pollfd, 2> polled{pollfd{reader_.get(), POLLIN, 0}, pollfd{stop_.get(), POLLIN, 0}};
    if (poll(polled.data(), polled.size(), -1) < 0 && errno != EINTR)
      return base::fail_errno(errno, "poll", "cannot wait for the memory image");
    if (polled[1].revents != 0) return base::fail(base::Code::unreadable, "stopped");
    const ssize_t got = ::read(reader_.get(), buffer.data(), buffer.size());
    if (got < 0 && errno != EINTR && errno != EAGAIN)
      return base::fail_errno(errno, "read", "cannot receive the memory image");
    if (got < 0) continue;
    if (auto taken = consumer_(std::span(buffer).first(static_cast<std::size_t>(got))); !taken)
      return taken;
    if (got == 0) return {};
    bytes_ += static_cast<std::uint64_t>(got);
    changed_.notify_all();
  }
}

bool PipeDrain::ended() const {
  const std::lock_guard lock(mutex_);
  return ended_;
}

std::optional<base::Error> PipeDrain::error() const {
  const std::lock_guard lock(mutex_);
  return error_;
}

base::Result<void> PipeDrain::finish(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  while (!ended_) {
    const std::uint64_t before = bytes_;
    if (changed_.wait_for(lock, patience) == std::cv_status::timeout && !ended_ && before == bytes_)
      return base::fail(base::Code::timeout, "the VMM stopped sending the memory image");
  }
  if (error_) return base::fail(*error_);
  return {};
}

base::Result<void> allow_reopening(int descriptor, pid_t pid) {
  struct stat vmm {};
  struct stat ours {};
  const std::string process = "/proc/" + std::to_string(pid);
  if (stat(process.c_str(), &vmm) != 0) return base::fail_errno(ESRCH, "stat", "the VM has ended");
  if (fstat(descriptor, &ours) == 0 && ours.st_uid == vmm.st_uid) return {};
  if (fchown(descriptor, vmm.st_uid, vmm.st_gid) != 0)
    return base::fail_errno(errno, "fchown", "cannot let the VMM write the memory image",
                            "run vitrine as root or as the VMM's user");
  return {};
}

}  // namespace vitrine::techniques
