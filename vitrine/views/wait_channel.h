// The function of the kernel that a sleeping task waits in, as /proc/PID/wchan shows it: the
// innermost on its stack that is none of the scheduler's or of the locks' own.
//
// Thread contract: one thread at a time. Cost: some 100 loads a task that sleeps, and, once for
// each place where tasks wait, a search in the kernel's symbols.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "vitrine/views/module_list.h"
#include "vitrine/views/unwinder.h"

namespace vitrine::views {

class WaitChannel {
 public:
  // Errors: as ModuleList and Unwinder, and the member that is missing.
  static base::Result<WaitChannel> attach(const kernel::Kernel& kernel,
                                          memory::PhysicalMemory& memory);

  // To be called when a collection begins.
  template <class Reader>
  void begin(Reader& reader) {
    names_.clear();
    // Where the list breaks off, tasks that wait in the rest of the modules show no name.
    static_cast<void>(modules_.read(reader));
  }

  // The function's name; empty where the task does not sleep. False where it can't be told.
  template <class Reader>
  bool of_task(Reader& reader, base::GuestVirtual task, std::string& name);

 private:
  static constexpr std::size_t kMostSchedulerFrames = 16;
  static constexpr std::size_t kMostNames = 65'536;
  static constexpr std::uint32_t kWaking = 0x200;  // TASK_WAKING, include/linux/sched.h

  struct Code {
    base::GuestVirtual begin, end;
    bool contains(base::GuestVirtual at) const { return at >= begin && at < end; }
  };

  WaitChannel(ModuleList modules, const Unwinder& unwinder)
      : modules_(std::move(modules)), unwinder_(unwinder) {}

  template <class Reader>
  const std::string& name_of(Reader& reader, base::GuestVirtual at);

  ModuleList modules_;
  Unwinder unwinder_;
  std::uint32_t state_ = 0, on_queue_ = 0;  // task_struct
  std::array<Code, 2> skipped_;             // of the scheduler, and of locks
  std::map<base::GuestVirtual, std::string> names_;
  std::vector<Unwinder::Frame> stack_;
};

template <class Reader>
const std::string& WaitChannel::name_of(Reader& reader, base::GuestVirtual at) {
  if (names_.size() >= kMostNames) names_.clear();
  const auto [name, is_new] = names_.try_emplace(at);
  if (is_new)
    if (auto function = modules_.function(reader, at)) name->second = std::move(function->name);
  return name->second;
}

// As get_wchan() in kernel/sched/core.c.
template <class Reader>
bool WaitChannel::of_task(Reader& reader, base::GuestVirtual task, std::string& name) {
  std::uint32_t state = 0;
  std::uint8_t on_queue = 0;  // an int until 7.0: its lowest byte
  name.clear();
  if (!reader.load(task + state_, state) || !reader.load(task + on_queue_, on_queue)) return false;
  if (state == 0 || state == kWaking || on_queue != 0) return true;
  stack_.clear();
  const Unwinder::End end =
      unwinder_.unwind(reader, modules_, task, stack_, [this](const Unwinder::Frame& frame) {
        return stack_.size() < kMostSchedulerFrames &&
               std::ranges::any_of(
                   skipped_, [&frame](const Code& code) { return code.contains(frame.address); });
      });
  if (end != Unwinder::End::stopped || stack_.size() >= kMostSchedulerFrames) return false;
  name = name_of(reader, stack_.back().address);
  return !name.empty();
}

}  // namespace vitrine::views
