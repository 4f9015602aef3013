#include "vitrine/views/wait_channel.h"

#include <optional>

namespace vitrine::views {

base::Result<WaitChannel> WaitChannel::attach(const kernel::Kernel& kernel,
                                              memory::PhysicalMemory& memory) {
  auto modules = ModuleList::attach(kernel);
  if (!modules) return base::fail(modules.error());
  std::optional<AnyUnwinder> unwinder;
  if (kernel.architecture == kernel::Architecture::arm64) {
    const auto attached = FramePointers::attach(kernel);
    if (!attached) return base::fail(attached.error());
    unwinder = *attached;
  } else {
    const auto attached = Unwinder::attach(kernel, memory);
    if (!attached) return base::fail(attached.error());
    unwinder = *attached;
  }
  WaitChannel channel(std::move(*modules), *unwinder);
  Resolver at(kernel.types);
  channel.state_ = at("task_struct", {"__state", "state"});  // renamed in 5.14, 2f064a59a11f
  channel.on_queue_ = at("task_struct", "on_rq");
  channel.task_size_ = at.size("task_struct");
  if (kernel.types.has_member("task_struct", "on_cpu"))  // CONFIG_SMP
    channel.on_cpu_ = at("task_struct", "on_cpu");
  if (at.error()) return base::fail(*at.error());
  constexpr std::array<std::string_view, 4> kSymbols{"__sched_text_start", "__sched_text_end",
                                                     "__lock_text_start", "__lock_text_end"};
  const auto symbols = kernel.symbols.find(kSymbols);
  for (std::size_t i = 0; i < channel.skipped_.size(); ++i)
    if (symbols[2 * i] && symbols[2 * i + 1])
      channel.skipped_.at(i) = {*symbols[2 * i], *symbols[2 * i + 1]};
  return channel;
}

const std::string& WaitChannel::name_of(Reader& reader, base::GuestVirtual at) {
  if (names_.size() >= kMostNames) names_.clear();
  const auto [name, is_new] = names_.try_emplace(at);
  if (is_new)
    if (auto function = modules_.function(reader, at)) name->second = std::move(function->name);
  return name->second;
}

const Unwinder::Frame* WaitChannel::find_frame(Reader& reader, base::GuestVirtual task) {
  stack_.clear();
  if (const auto* tables = std::get_if<Unwinder>(&unwinder_)) {
    static_cast<void>(
        tables->unwind(reader, modules_, task, stack_, [this](const Unwinder::Frame& frame) {
          return stack_.size() < kMostSchedulerFrames && is_skipped(frame);
        }));
  } else {
    static_cast<void>(std::get<FramePointers>(unwinder_).unwind(reader, task, stack_));
  }
  for (std::size_t i = 0; i < stack_.size() && i + 1 < kMostSchedulerFrames; ++i)
    if (!is_skipped(stack_[i])) return &stack_[i];
  return nullptr;
}

// As get_wchan() in kernel/sched/core.c; but one that is just about to leave its processor is not
// asleep, though it is on no queue any more: its stack still moves.
bool WaitChannel::sleeps(Reader& reader, base::GuestVirtual task, bool& asleep) const {
  std::uint32_t state = 0;
  std::uint8_t on_queue = 0;  // an int until 7.0: its lowest byte
  std::uint8_t on_cpu = 0;    // the same
  if (!reader.load(task + state_, state) || !reader.load(task + on_queue_, on_queue) ||
      (on_cpu_ != 0 && !reader.load(task + on_cpu_, on_cpu)))
    return false;
  asleep = state != 0 && state != kWaking && on_queue == 0 && on_cpu == 0;
  return true;
}

// The task, and as much of its stack as was followed.
void WaitChannel::forget(Reader& reader, base::GuestVirtual task) {
  reader.forget(task, task_size_);
  if (stack_.empty()) return;
  const base::GuestVirtual first = stack_.front().sp - base::kPage;
  const base::GuestVirtual last = stack_.back().sp + base::kPage;
  if (last - first <= Unwinder::kMostStack) reader.forget(first, last - first);
}

// A stack that leads nowhere is one that moved: its task woke up since it was seen asleep.
bool WaitChannel::of_task(Reader& reader, base::GuestVirtual task, std::string& name) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    bool asleep = false;
    name.clear();
    if (!sleeps(reader, task, asleep)) return false;
    if (!asleep) return true;
    if (const Unwinder::Frame* frame = find_frame(reader, task))
      name = name_of(reader, frame->address);
    if (!name.empty()) return true;
    forget(reader, task);
  }
  return false;
}

}  // namespace vitrine::views
