// Stops all threads of a process and lets them go on, without its cooperation.
//
// A keeper (keeper.h) does the tracing: whatever happens to this process, SIGKILL included, the
// keeper lets the threads go on; should the keeper itself be killed, the host kernel does. It also
// lets them go on when they were frozen for too long.
//
// Thread contract: one thread at a time per object. Effect: none before freeze() and after thaw();
// in between see thread_stop.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/host/keeper.h"
#include "vitrine/host/process.h"

namespace vitrine::host {

struct FreezeLimits {
  std::chrono::milliseconds stopping{1000};  // for all threads to stand still
  std::chrono::milliseconds frozen{10'000};  // after which they go on by themselves
};

class Freezer {
 public:
  // Error: as Keeper::start.
  static base::Result<Freezer> start(const ProcessIdentity& process,
                                     const FreezeLimits& limits = {});

  // Stops all threads; returns those of the host kernel that it could not stop, each as
  // "NAME (ID)". Errors: as ThreadStop::begin; the process runs on then, and this object is of no
  // use any more.
  base::Result<std::vector<std::string>> freeze();

  // Lets them go on. Nanoseconds from the first thread's stop to the last one's continuing. Error:
  // `timeout` where they were frozen for too long and went on before.
  base::Result<std::uint64_t> thaw();

 private:
  Freezer(Keeper keeper, const FreezeLimits& limits)
      : keeper_(std::move(keeper)), limits_(limits) {}

  Keeper keeper_;
  FreezeLimits limits_;
};

}  // namespace vitrine::host
