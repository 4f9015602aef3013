// Which pages of an image have arrived, for readers that do not wait for the rest of it.
//
// Thread contract: any thread. Private memory: a bit per page.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

namespace vitrine::techniques {

class Arrivals {
 public:
  // Forgets all; the image has `pages` pages.
  void begin(std::uint64_t pages);

  // These pages can be read now.
  void add(std::span<const std::uint64_t> pages);

  // Nothing comes any more: all that did not arrive is zero, or, upon failure, unreadable.
  void finish(bool complete);

  // Waits until [first, last] can be read; false where it never will, or nothing at all arrives for
  // `patience`.
  bool wait(std::uint64_t first, std::uint64_t last, std::chrono::milliseconds patience);

  // Waits until the image is whole, or anything has arrived of it; false as wait().
  bool wait_for_all(std::chrono::milliseconds patience);
  bool wait_for_any(std::chrono::milliseconds patience);

 private:
  template <class Ready>
  bool wait_until(Ready ready, std::chrono::milliseconds patience);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<bool> arrived_;
  std::uint64_t count_ = 0;
  bool finished_ = false;
  bool complete_ = false;
};

}  // namespace vitrine::techniques
