#include "vitrine/host/time_limit.h"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "vitrine/host/blocked_signals.h"

namespace vitrine::host {

struct TimeLimit::State {
  std::mutex mutex;
  std::condition_variable changed;
  std::function<void()> call;  // to be made, or being made
  bool over = false;           // nobody waits any more
  std::thread thread;
};

TimeLimit::TimeLimit() : state_(std::make_shared<State>()) {
  // A signal of the process has to be handled where its program expects it.
  const BlockedSignals blocked;
  state_->thread = std::thread([state = state_] {
    std::unique_lock lock(state->mutex);
    while (true) {
      state->changed.wait(lock, [&] { return state->over || state->call; });
      if (state->over) return;
      const auto call = state->call;
      lock.unlock();
      call();
      lock.lock();
      state->call = nullptr;
      state->changed.notify_all();
    }
  });
}

TimeLimit::~TimeLimit() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->over = true;
    state_->changed.notify_all();
  }
  if (state_->thread.joinable()) state_->thread.join();
}

bool TimeLimit::run(std::function<void()> call, std::chrono::milliseconds limit) {
  std::unique_lock lock(state_->mutex);
  if (state_->over) return false;
  state_->call = std::move(call);
  state_->changed.notify_all();
  if (state_->changed.wait_for(lock, limit, [&] { return !state_->call; })) return true;
  state_->over = true;
  state_->thread.detach();
  return false;
}

}  // namespace vitrine::host
