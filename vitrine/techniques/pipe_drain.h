// A pipe into which the VMM writes a memory image, and a thread that takes it out at once: the
// guest may stand still until the last byte is taken. Where that fails, or this process dies, the
// VMM's next write fails and the command ends; nobody waits for anybody.
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

class PipeDrain {
 public:
  // Takes the next bytes, and none at the very end; an error ends the drain.
  using Consumer = std::function<base::Result<void>(std::span<const std::byte>)>;

  // Errors: pipe2's.
  static base::Result<std::unique_ptr<PipeDrain>> start(Consumer consumer);

  // Ends the drain, wherever it is.
  ~PipeDrain();
  PipeDrain(const PipeDrain&) = delete;
  PipeDrain& operator=(const PipeDrain&) = delete;

  // The end that the VMM gets; closed here once it has it, so that the VMM's closing is noticed.
  int writer() const { return writer_.get(); }
  void close_writer() { writer_ = base::FileDescriptor(); }

  // Whether the drain has ended: every writer closed the pipe, or the consumer failed.
  bool ended() const;

  // Bytes taken so far.
  std::uint64_t bytes() const { return bytes_; }

  // Waits for the end. Errors: the consumer's; `timeout` where nothing arrives for `patience`.
  base::Result<void> finish(std::chrono::milliseconds patience);

  // What the consumer failed with, so far.
  std::optional<base::Error> error() const;

 private:
  explicit PipeDrain(Consumer consumer) : consumer_(std::move(consumer)) {}

  base::Result<void> open();
  void run();
  base::Result<void> drain();

  Consumer consumer_;
  base::FileDescriptor reader_;
  base::FileDescriptor writer_;
  base::FileDescriptor stop_;  // an eventfd
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
