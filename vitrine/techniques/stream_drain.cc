#include "vitrine/techniques/stream_drain.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <system_error>
#include <vector>

#include "vitrine/host/blocked_signals.h"
#include "vitrine/host/temporary_file.h"

namespace vitrine::techniques {
namespace {

constexpr int kPipeBytes = 1 << 20;
constexpr std::size_t kReadBytes = 1 << 20;

}  // namespace

base::Result<std::unique_ptr<StreamDrain>> StreamDrain::start(Consumer consumer) {
  std::unique_ptr<StreamDrain> drain(new StreamDrain(std::move(consumer)));
  if (auto opened = drain->open(); !opened) return base::fail(opened.error());
  if (auto launched = drain->launch(); !launched) return base::fail(launched.error());
  return drain;
}

base::Result<std::unique_ptr<StreamDrain>> StreamDrain::start_spooled(std::uint64_t size, pid_t pid,
                                                                      Consumer consumer) {
  std::unique_ptr<StreamDrain> drain(new StreamDrain(std::move(consumer)));
  if (auto opened = drain->open_spool(size); !opened) return base::fail(opened.error());
  drain->vmm_ = base::FileDescriptor(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (auto launched = drain->launch(); !launched) return base::fail(launched.error());
  return drain;
}

base::Result<void> StreamDrain::open() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0)
    return base::fail_errno(errno, "pipe2", "cannot make a pipe for the memory image");
  reader_ = base::FileDescriptor(ends[0]);
  writer_ = base::FileDescriptor(ends[1]);
  // Where the user's share of pipe memory is used up the pipe stays smaller, and all the slower.
  fcntl(reader_.get(), F_SETPIPE_SZ, kPipeBytes);
  return {};
}

base::Result<void> StreamDrain::open_spool(std::uint64_t size) {
  auto file = host::temporary_file(size);
  if (!file) return base::fail(file.error());
  // The length stays zero: it shows how much has been written.
  if (fallocate(file->get(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(size)) != 0) {
    const int error = errno;
    auto failed =
        base::fail_errno(error, "fallocate", "cannot reserve space in " + host::temporary_folder(),
                         "set TMPDIR to a folder on ext4, xfs, btrfs or tmpfs with enough space");
    if (error == EOPNOTSUPP) failed.value().code = base::Code::unsupported;
    return failed;
  }
  writer_ = base::FileDescriptor(fcntl(file->get(), F_DUPFD_CLOEXEC, 0));
  if (!writer_.valid()) return base::fail_errno(errno, "fcntl", "cannot open the memory image");
  reader_ = std::move(*file);
  spooled_ = true;
  return {};
}

base::Result<void> StreamDrain::launch() {
  stop_ = base::FileDescriptor(eventfd(0, EFD_CLOEXEC));
  if (!stop_.valid()) return base::fail_errno(errno, "eventfd", "cannot make an event descriptor");
  // Signals are for the program's own threads.
  const host::BlockedSignals blocked;
  try {
    thread_ = std::thread(&StreamDrain::run, this);
  } catch (const std::system_error& error) {
    return base::fail_errno(error.code().value(), "pthread_create", "cannot start a thread");
  }
  return {};
}

void StreamDrain::close_writer() {
  writer_ = base::FileDescriptor();
  written_ = true;
}

StreamDrain::~StreamDrain() {
  if (!thread_.joinable()) return;
  eventfd_write(stop_.get(), 1);
  thread_.join();
}

void StreamDrain::run() {
  const auto drained = drain();
  {
    const std::lock_guard lock(mutex_);
    if (!drained) error_ = drained.error();
  }
  // Whoever still writes learns that nobody reads, and finds out why.
  reader_ = base::FileDescriptor();
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
}

// The next bytes, once there are some; 0 at the end, -1 upon an error, EINTR where it was stopped.
ssize_t StreamDrain::take(std::span<std::byte> into) {
  // A file is always ready: whether it has grown only reading tells, every millisecond.
  std::array<pollfd, 2> polled{pollfd{stop_.get(), POLLIN, 0},
                               pollfd{spooled_ ? vmm_.get() : reader_.get(), POLLIN, 0}};
  int patience = spooled_ ? 0 : -1;
  while (true) {
    if (poll(polled.data(), polled.size(), patience) < 0 && errno != EINTR) return -1;
    if (polled[0].revents != 0) {
      errno = EINTR;
      return -1;
    }
    // Asked before reading: what was written before it was set is seen.
    const bool written = !spooled_ || written_ || polled[1].revents != 0;
    const ssize_t got =
        spooled_ ? ::pread(reader_.get(), into.data(), into.size(), static_cast<off_t>(bytes_))
                 : ::read(reader_.get(), into.data(), into.size());
    if (got > 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) return got;
    if (got == 0 && written) return 0;
    if (spooled_) patience = 1;
  }
}

base::Result<void> StreamDrain::drain() {
  std::vector<std::byte> buffer(kReadBytes);
  while (true) {
    const ssize_t got = take(buffer);
    if (got < 0 && errno == EINTR) return base::fail(base::Code::unreadable, "it was stopped");
    if (got < 0) return base::fail_errno(errno, "read", "cannot receive the memory image");
    if (auto taken = consumer_(std::span(buffer).first(static_cast<std::size_t>(got))); !taken)
      return taken;
    if (got == 0) return {};
    bytes_ += static_cast<std::uint64_t>(got);
    changed_.notify_all();
  }
}

bool StreamDrain::ended() const {
  const std::lock_guard lock(mutex_);
  return ended_;
}

std::optional<base::Error> StreamDrain::error() const {
  const std::lock_guard lock(mutex_);
  return error_;
}

base::Result<void> StreamDrain::finish(std::chrono::milliseconds patience) {
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
