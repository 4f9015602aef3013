#include "vitrine/techniques/arrivals.h"

namespace vitrine::techniques {

void Arrivals::begin(std::uint64_t pages) {
  const std::lock_guard lock(mutex_);
  arrived_.assign(pages, false);
  count_ = 0;
  finished_ = false;
  complete_ = false;
}

void Arrivals::add(std::span<const std::uint64_t> pages) {
  {
    const std::lock_guard lock(mutex_);
    for (const std::uint64_t page : pages) arrived_.at(page) = true;
    count_ += pages.size();
  }
  changed_.notify_all();
}

void Arrivals::finish(bool complete) {
  {
    const std::lock_guard lock(mutex_);
    finished_ = true;
    complete_ = complete;
  }
  changed_.notify_all();
}

template <class Ready>
bool Arrivals::wait_until(Ready ready, std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  while (true) {
    if (finished_) return complete_ || ready();
    if (ready()) return true;
    const std::uint64_t before = count_;
    const auto woken = changed_.wait_for(lock, patience);
    if (woken == std::cv_status::timeout && before == count_ && !finished_) return ready();
  }
}

bool Arrivals::wait(std::uint64_t first, std::uint64_t last, std::chrono::milliseconds patience) {
  std::uint64_t next = first;
  return wait_until(
      [&] {
        if (last >= arrived_.size()) return false;
        while (next <= last && arrived_[next]) ++next;
        return next > last;
      },
      patience);
}

bool Arrivals::wait_for_all(std::chrono::milliseconds patience) {
  return wait_until([] { return false; }, patience);
}

bool Arrivals::wait_for_any(std::chrono::milliseconds patience) {
  return wait_until([this] { return count_ != 0; }, patience);
}

}  // namespace vitrine::techniques
