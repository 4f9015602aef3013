// Calls into libraries that may wait for ever, given up after a time.
//
// Thread contract: one thread at a time per object; the calls run in a thread of their own, with
// all signals blocked. A call that is given up goes on in that thread, which is then abandoned:
// what a call touches has to be its own (captured by shared ownership), not its caller's.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace vitrine::host {

class TimeLimit {
 public:
  TimeLimit();
  ~TimeLimit();
  TimeLimit(const TimeLimit&) = delete;
  TimeLimit& operator=(const TimeLimit&) = delete;

  // Whether the call ended within the limit. After one that did not, none is made any more.
  bool run(std::function<void()> call, std::chrono::milliseconds limit);

 private:
  struct State;

  std::shared_ptr<State> state_;
};

}  // namespace vitrine::host
