// A process of its own that undoes what was done to a VM, should this process die before it did.
//
// What undoes a change is noted before the change is made, in memory that both share. The guardian
// sleeps until this process ends, for whatever reason, SIGKILL included; then it runs every step
// that is still noted, the newest first. It belongs to another process group and ignores every
// signal that can be ignored, so that what ends this process does not end it, too.
//
// A step has to be harmless where its change was never made, or was undone already: death may come
// between any two instructions. Steps are plain functions, since the guardian is a copy of this
// process as it was when the guardian was started; it keeps the descriptors that it was told to.
//
// Thread contract: one thread at a time. Cost: a process of some pages; starting it takes about a
// millisecond.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "vitrine/base/file_descriptor.h"
#include "vitrine/base/result.h"

namespace vitrine::host {

class Guardian {
 public:
  // True when nothing is left to undo; false to be called again, at most for kPatience in all.
  using Step = bool (*)(std::string_view argument);

  static constexpr std::size_t kMaximumArgument = 1000;
  static constexpr std::size_t kMaximumSteps = 32;
  static constexpr int kPatienceSeconds = 60;  // of the guardian, for all its steps

  // The guardian keeps `descriptors` open and no others. Error: as fork.
  static base::Result<std::unique_ptr<Guardian>> start(std::span<const int> descriptors);

  ~Guardian();
  Guardian(const Guardian&) = delete;
  Guardian& operator=(const Guardian&) = delete;

  // Notes a step; what it returns is for run() and forget(). Errors: `invalid` where the argument
  // is too long or too many steps are noted.
  base::Result<std::size_t> note(Step step, std::string_view argument);

  // Runs a step in this process until it is done or `patience` is over, and forgets it if it is
  // done. Error: `timeout`; the step stays noted, so that the guardian tries again in the end.
  base::Result<void> run(std::size_t noted, std::chrono::milliseconds patience);

  // Forgets a step without running it: for a change that was never made.
  void forget(std::size_t noted);

 private:
  struct Journal;

  Guardian() = default;
  void guard(int lifeline);

  Journal* journal_ = nullptr;     // shared with the guardian
  base::FileDescriptor lifeline_;  // the guardian notices when its last copy is closed
};

}  // namespace vitrine::host
