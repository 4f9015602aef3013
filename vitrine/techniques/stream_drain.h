// What the VMM writes a memory image into, and a thread that takes it out at once.
//
// A pipe needs no space on a disk. The VMM waits for us while it is full; where taking fails, or
// this process dies, its next write fails and the command ends.
//
// A spool is an unnamed file, for a VMM that must neither wait nor fail: all its space is reserved
// before, and it is written to the end whether somebody reads it or not.
//
// Thread contract: one thread at a time; the consumer runs in the drain's own thread.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>

#include "vitrine/base/file_descriptor.h"
#include "vitrine/base/result.h"

namespace vitrine::techniques {

class StreamDrain {
 public:
  // Takes the next bytes, and none at the very end; an error ends the drain.
  using Consumer = std::function<base::Result<void>(std::span<const std::byte>)>;

  // Errors: pipe2's.
  static base::Result<std::unique_ptr<StreamDrain>> start(Consumer consumer);

  // With a spool for at most `size` bytes, which ends when process `pid` does, too. Errors: as
  // host::temporary_file; `unsupported` where the file system reserves no space.
  static base::Result<std::unique_ptr<StreamDrain>> start_spooled(std::uint64_t size, pid_t pid,
                                                                  Consumer consumer);

  // Ends the drain, wherever it is.
  ~StreamDrain();
  StreamDrain(const StreamDrain&) = delete;
  StreamDrain& operator=(const StreamDrain&) = delete;

  // The end that the VMM gets; closed here once it has it, so that the VMM's closing is noticed. Of
  // a spool it is closed once the VMM has written all, since nothing else tells that.
  int writer() const { return writer_.get(); }
  void close_writer();
  bool is_spool() const { return spooled_; }

  // Whether the drain has ended: every writer closed the pipe, or the consumer failed.
  bool ended() const;

  // Bytes taken so far.
  std::uint64_t bytes() const { return bytes_; }

  // Waits for the end. Errors: the consumer's; `timeout` where nothing arrives for `patience`.
  base::Result<void> finish(std::chrono::milliseconds patience);

  // What the consumer failed with, so far.
  std::optional<base::Error> error() const;

 private:
  explicit StreamDrain(Consumer consumer) : consumer_(std::move(consumer)) {}

  base::Result<void> open();
  base::Result<void> open_spool(std::uint64_t size);
  base::Result<void> launch();
  void run();
  ssize_t take(std::span<std::byte> into);
  base::Result<void> drain();

  Consumer consumer_;
  base::FileDescriptor reader_;
  base::FileDescriptor writer_;
  base::FileDescriptor stop_;  // an eventfd
  base::FileDescriptor vmm_;   // its pidfd, for a spool
  bool spooled_ = false;
  std::atomic<bool> written_ = false;  // the spool is whole
  std::atomic<std::uint64_t> bytes_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;
  std::optional<base::Error> error_;
  std::thread thread_;
};

// Lets the VMM, process `pid`, open the descriptor anew by its name in /proc, where it runs as
// another user. Errors: fchown's.
base::Result<void> allow_reopening(int descriptor, pid_t pid);

}  // namespace vitrine::techniques
