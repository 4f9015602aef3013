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

// As get_wchan() in kernel/sched/core.c.
bool WaitChannel::of_task(Reader& reader, base::GuestVirtual task, std::string& name) {
  std::uint32_t state = 0;
  std::uint8_t on_queue = 0;  // an int until 7.0: its lowest byte
  name.clear();
  if (!reader.load(task + state_, state) || !reader.load(task + on_queue_, on_queue)) return false;
  if (state == 0 || state == kWaking || on_queue != 0) return true;
  const Unwinder::Frame* frame = find_frame(reader, task);
  if (frame == nullptr) return false;
  name = name_of(reader, frame->address);
  return !name.empty();
}

}  // namespace vitrine::views
