// Notices that a walk along hostile pointers has begun to repeat itself, in constant space.
// Source: R. P. Brent, "An improved Monte Carlo factorization algorithm" (1980), cycle finding.
//
// Thread contract: one walk, one thread.
#pragma once

#include <cstdint>

#include "vitrine/base/address.h"

namespace vitrine::views {

class CycleGuard {
 public:
  // To be asked with every node in turn; true once a node comes again that closes a cycle. A cycle
  // is noticed within three times its length after it is entered.
  bool closes(base::GuestVirtual node) {
    if (node == landmark_) return true;
    if (++steps_ == limit_) {
      landmark_ = node;
      steps_ = 0;
      limit_ *= 2;
    }
    return false;
  }

 private:
  base::GuestVirtual landmark_{~std::uint64_t{0}};
  std::uint64_t steps_ = 0;
  std::uint64_t limit_ = 1;
};

}  // namespace vitrine::views
