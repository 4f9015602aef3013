#include "vitrine/host/process_copy.h"

#include <fmt/format.h>

#include <memory>
#include <string>

#include "vitrine/host/copying_task.h"

namespace vitrine::host {
namespace {

constexpr std::chrono::milliseconds kTaking{20'000};  // page tables of some hundred GB

}  // namespace

base::Result<ProcessCopy> ProcessCopy::start(const ProcessIdentity& process,
                                             const CopyLimits& limits) {
  auto keeper =
      Keeper::start(kKeeperName, [&] { return std::make_unique<CopyingTask>(process, limits); });
  if (!keeper) return base::fail(keeper.error());
  return ProcessCopy(std::move(*keeper), limits);
}

base::Result<ProcessCopy::Taken> ProcessCopy::take(std::span<const CopiedRange> ranges) {
  std::string request(CopyingTask::kTake);
  for (const CopiedRange& range : ranges)
    request += fmt::format(" {:x} {:x}", range.start.value, range.size);
  const auto answer = keeper_.ask(request, limits_.stopping + kTaking);
  if (!answer) return base::fail(answer.error());
  return Taken{static_cast<pid_t>(std::stol(answer->at(0))), std::stoull(answer->at(1))};
}

base::Result<void> ProcessCopy::check() {
  return keeper_.ask(CopyingTask::kCheck, {}).map([](const auto&) {});
}

base::Result<void> ProcessCopy::drop() {
  return keeper_.ask(CopyingTask::kDrop, limits_.stopping).map([](const auto&) {});
}

}  // namespace vitrine::host
