#include "vitrine/host/freezer.h"

#include <fmt/format.h>

#include <memory>
#include <optional>

#include "vitrine/host/thread_stop.h"

namespace vitrine::host {
namespace {

using base::Code;
using base::fail;
using Clock = std::chrono::steady_clock;

constexpr std::string_view kFreeze = "freeze";
constexpr std::string_view kThaw = "thaw";

class FreezingTask final : public Task {
 public:
  FreezingTask(const ProcessIdentity& process, const FreezeLimits& limits)
      : process_(process), limits_(limits) {}

  Answer answer(std::string_view request) override {
    return request == kFreeze ? freeze() : thaw();
  }

  bool busy() const override { return stop_.has_value(); }
  void look_after() override {
    if (!stop_) return;
    stop_->reap();
    if (Clock::now() - since_ < limits_.frozen) return;
    stop_.reset();
    expired_ = true;
  }

  // Only the end of this process lets a thread go that cannot be stopped.
  bool finished() const override { return failed_; }

 private:
  Answer freeze() {
    since_ = Clock::now();
    expired_ = false;
    stop_.reset();
    auto stop = ThreadStop::begin(process_, limits_.stopping);
    failed_ = !stop;
    if (!stop) return fail(stop.error());
    stop_.emplace(std::move(*stop));
    return std::vector<std::string>{stop_->unstoppable().begin(), stop_->unstoppable().end()};
  }

  Answer thaw() {
    if (expired_)
      return fail(Code::timeout,
                  fmt::format("process {} was frozen for {} s, and goes on since then",
                              process_.pid, static_cast<double>(limits_.frozen.count()) / 1000),
                  "ask for less at a time, or do without freezing it");
    const Clock::time_point since = stop_ ? stop_->since() : Clock::now();
    failed_ = stop_ && !stop_->end();
    stop_.reset();
    const std::chrono::nanoseconds frozen = Clock::now() - since;
    return std::vector<std::string>{std::to_string(frozen.count())};
  }

  ProcessIdentity process_;
  FreezeLimits limits_;
  std::optional<ThreadStop> stop_;
  Clock::time_point since_;
  bool expired_ = false;
  bool failed_ = false;
};

}  // namespace

base::Result<Freezer> Freezer::start(const ProcessIdentity& process, const FreezeLimits& limits) {
  auto keeper = Keeper::start("vitrine-freeze",
                              [&] { return std::make_unique<FreezingTask>(process, limits); });
  if (!keeper) return fail(keeper.error());
  return Freezer(std::move(*keeper), limits);
}

base::Result<std::vector<std::string>> Freezer::freeze() {
  return keeper_.ask(kFreeze, limits_.stopping);
}

base::Result<std::uint64_t> Freezer::thaw() {
  auto answer = keeper_.ask(kThaw, {});
  if (!answer) return fail(answer.error());
  return std::stoull(answer->at(0));
}

}  // namespace vitrine::host
