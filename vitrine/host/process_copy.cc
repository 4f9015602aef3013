#include "vitrine/host/process_copy.h"

#include <fmt/format.h>

#include <charconv>
#include <memory>
#include <string>

#include "vitrine/host/copying_task.h"

namespace vitrine::host {
namespace {

constexpr std::chrono::milliseconds kTaking{20'000};  // page tables of some hundred GB

template <class T>
bool number(const std::string& text, T& into) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), into);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
}

}  // namespace

base::Result<ProcessCopy> ProcessCopy::start(const ProcessIdentity& process,
                                             const CopyLimits& limits) {
  auto keeper =
      Keeper::start(kKeeperName, [&] { return std::make_unique<CopyingTask>(process, limits); });
  if (!keeper) return base::fail(keeper.error());
  return ProcessCopy(std::move(*keeper), limits);
}

base::Result<ProcessCopy::Taken> ProcessCopy::take(std::span<const HostRange> ranges) {
  const auto answer = keeper_.ask(std::string(CopyingTask::kTake) + ranges_text(ranges),
                                  limits_.stopping + kTaking);
  if (!answer) return base::fail(answer.error());
  return Taken{static_cast<pid_t>(std::stol(answer->at(0))), std::stoull(answer->at(1))};
}

base::Result<void> ProcessCopy::check() {
  return keeper_.ask(CopyingTask::kCheck, {}).map([](const auto&) {});
}

base::Result<void> ProcessCopy::drop() {
  return keeper_.ask(CopyingTask::kDrop, limits_.stopping).map([](const auto&) {});
}

base::Result<void> ProcessCopy::hold(const std::filesystem::path& path, std::chrono::seconds time) {
  const std::string request =
      fmt::format("{} {} {}", CopyingTask::kHold, time.count(), path.string());
  return keeper_.ask(request, {}).map([](const auto&) {});
}

base::Result<HeldCopy> HeldCopy::find(const std::filesystem::path& socket) {
  auto keeper = Keeper::find(socket);
  if (!keeper) return base::fail(keeper.error());
  HeldCopy copy(std::move(*keeper));
  const auto answer = copy.keeper_.ask(CopyingTask::kDescribe, {});
  if (!answer) return base::fail(answer.error());
  const bool understood = answer->size() == 4 && number((*answer)[0], copy.pid_) &&
                          number((*answer)[1], copy.process_.pid) &&
                          number((*answer)[2], copy.process_.start_time);
  if (!understood)
    return base::fail(base::Code::inconsistent,
                      "the process that holds the copy is of another version of this program");
  copy.ranges_ = ranges_of_text((*answer)[3]);
  return copy;
}

base::Result<void> HeldCopy::check() {
  return keeper_.ask(CopyingTask::kCheck, {}).map([](const auto&) {});
}

base::Result<void> HeldCopy::release() {
  return keeper_.ask(CopyingTask::kRelease, {}).map([](const auto&) {});
}

}  // namespace vitrine::host
