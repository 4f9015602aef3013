// The function of the kernel that a sleeping task waits in, as /proc/PID/wchan shows it: the
// innermost on its stack that is none of the scheduler's or of the locks' own.
//
// Thread contract: one thread at a time. Cost: some 100 loads a task that sleeps, and, once for
// each place where tasks wait, a search in the kernel's symbols.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "vitrine/views/frame_pointers.h"
#include "vitrine/views/module_list.h"
#include "vitrine/views/reader.h"
#include "vitrine/views/unwinder.h"

namespace vitrine::views {

class WaitChannel {
 public:
  // Errors: as ModuleList and Unwinder, and the member that is missing.
  static base::Result<WaitChannel> attach(const kernel::Kernel& kernel,
                                          memory::PhysicalMemory& memory);

  // To be called when a collection begins.
  void begin(Reader& reader) {
    names_.clear();
    // Where the list breaks off, tasks that wait in the rest of the modules show no name.
    static_cast<void>(modules_.read(reader));
  }

  // The function's name; empty where the task does not sleep. False where it can't be told.
  bool of_task(Reader& reader, base::GuestVirtual task, std::string& name);

 private:
  static constexpr int kAttempts = 3;  // to follow a stack that moves
  static constexpr std::size_t kMostSchedulerFrames = 16;
  static constexpr std::size_t kMostNames = 65'536;
  static constexpr std::uint32_t kWaking = 0x200;  // TASK_WAKING, include/linux/sched.h

  struct Code {
    base::GuestVirtual begin, end;
    bool contains(base::GuestVirtual at) const { return at >= begin && at < end; }
  };

  // By what the kernel's architecture has.
  using AnyUnwinder = std::variant<Unwinder, FramePointers>;

  WaitChannel(ModuleList modules, const AnyUnwinder& unwinder)
      : modules_(std::move(modules)), unwinder_(unwinder) {}

  // Whether the frame is of the scheduler itself.
  bool is_skipped(const Unwinder::Frame& frame) const {
    return std::ranges::any_of(skipped_,
                               [&frame](const Code& code) { return code.contains(frame.address); });
  }
  // The first frame that is not; null where there is none.
  const Unwinder::Frame* find_frame(Reader& reader, base::GuestVirtual task);

  const std::string& name_of(Reader& reader, base::GuestVirtual at);

  bool sleeps(Reader& reader, base::GuestVirtual task, bool& asleep) const;
  void forget(Reader& reader, base::GuestVirtual task);

  ModuleList modules_;
  AnyUnwinder unwinder_;
  std::uint32_t state_ = 0, on_queue_ = 0, on_cpu_ = 0;  // task_struct; 0: it has none
  std::uint32_t task_size_ = 0;
  std::array<Code, 2> skipped_;  // of the scheduler, and of locks
  std::map<base::GuestVirtual, std::string> names_;
  std::vector<Unwinder::Frame> stack_;
};

}  // namespace vitrine::views
