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

}  // namespace vitrine::views
