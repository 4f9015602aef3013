// What a collection may spend as a whole, so that a guest that forges its structures cannot have
// the tool work or grow without end: each walk is bounded by itself, and all of them together by
// this.
//
// Thread contract: one thread at a time.
#pragma once

#include <cstdint>

namespace vitrine::views {

class Budget {
 public:
  explicit Budget(std::uint64_t whole) : whole_(whole), left_(whole) {}

  void renew() { left_ = whole_; }

  // Whether there was as much left; once there was not, nothing is left.
  bool spend(std::uint64_t amount) {
    const bool enough = amount <= left_;
    left_ = enough ? left_ - amount : 0;
    return enough;
  }
  bool spent() const { return left_ == 0; }

 private:
  std::uint64_t whole_;
  std::uint64_t left_;
};

}  // namespace vitrine::views
