// A copy-on-write copy of some of a process's private memory, of one instant, while the process
// runs on: a fork that the process itself knows nothing of.
//
// All threads are stopped; one of them is made to clone the process (remote_calls.h), with the
// memory included that is wanted, though it may be marked as not to be copied (MADV_DONTFORK); all
// go on. The copy never executes an instruction of its own program: it stays stopped, holds none
// of the process's descriptors, is the first to be killed where the host runs out of memory, and is
// killed when what the process writes has cost more memory than allowed. It is no child of the
// process, which sees no SIGCHLD and has nobody to wait for.
//
// A keeper (keeper.h) does all this, and kills the copy whatever happens to this process.
//
// Thread contract: one thread at a time per object. Effect: the process stands still for what
// copying its page tables takes, some 25 ms for each GB that is resident in small pages; its first
// write to each page afterwards copies it.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <span>
#include <utility>
#include <vector>

#include "vitrine/base/address.h"
#include "vitrine/base/result.h"
#include "vitrine/host/host_range.h"
#include "vitrine/host/keeper.h"
#include "vitrine/host/process.h"

namespace vitrine::host {

struct CopyLimits {
  std::chrono::milliseconds stopping{1000};  // for all threads to stand still
  std::uint64_t growth = 0;  // bytes that the copy may cost; 0: half of what is free
};

class ProcessCopy {
 public:
  // What ps shows as the name of who traces a copy.
  static constexpr const char* kKeeperName = "vitrine-copy";

  // Error: as Keeper::start.
  static base::Result<ProcessCopy> start(const ProcessIdentity& process,
                                         const CopyLimits& limits = {});

  struct Taken {
    pid_t pid = 0;                 // of the copy, to be read like any process
    std::uint64_t stopped_ns = 0;  // how long the process stood still
  };

  // Takes a new copy; an earlier one is dropped first. The ranges must be private memory. Errors:
  // as ThreadStop::begin and find_syscall; `unsupported` where the memory is not to be copied,
  // `denied` where a seccomp filter cannot be suspended or the copy not be made the first to be
  // killed. The process runs on then; start anew after any.
  base::Result<Taken> take(std::span<const HostRange> ranges);

  // Why there is no copy any more, e.g. that it had grown too large; no error while there is one.
  base::Result<void> check();

  // Kills the copy.
  base::Result<void> drop();

  // Has the copy stay for `time` when this process is gone, to be found through a socket at `path`,
  // whose folder is for the user alone. It ends before that when the process does, when it costs
  // too much, when it is released, and when the socket is removed. Errors: `absent` where there is
  // no copy; as listen_at.
  base::Result<void> hold(const std::filesystem::path& path, std::chrono::seconds time);

 private:
  ProcessCopy(Keeper keeper, const CopyLimits& limits)
      : keeper_(std::move(keeper)), limits_(limits) {}

  Keeper keeper_;
  CopyLimits limits_;
};

// A copy that stayed when who took it was gone.
class HeldCopy {
 public:
  // Error: `absent` where no copy is held there.
  static base::Result<HeldCopy> find(const std::filesystem::path& socket);

  pid_t pid() const { return pid_; }                           // of the copy
  const ProcessIdentity& process() const { return process_; }  // that it is a copy of
  std::span<const HostRange> ranges() const { return ranges_; }

  // As ProcessCopy::check.
  base::Result<void> check();
  // Ends it.
  base::Result<void> release();

 private:
  explicit HeldCopy(Keeper keeper) : keeper_(std::move(keeper)) {}

  Keeper keeper_;
  pid_t pid_ = 0;
  ProcessIdentity process_;
  std::vector<HostRange> ranges_;
};

}  // namespace vitrine::host
