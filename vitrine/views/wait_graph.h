// Who waits for whom, as a graph in which each waits for one other at most: where each chain ends,
// and which chains close to a cycle, a deadlock.
//
// Thread contract: a plain value once made. Cost: linear.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace vitrine::views {

class WaitGraph {
 public:
  static constexpr std::size_t kNobody = ~std::size_t{0};

  struct Place {
    std::size_t root = kNobody;  // the last of its chain; of a deadlock its first member
    std::uint32_t depth = 0;     // steps to the root, or to the deadlock; 0 for the members of one
    bool deadlock = false;       // its chain ends in one
    std::size_t waiters = 0;     // that wait for it, directly or through others, itself not counted
  };

  WaitGraph() = default;
  // `blockers[i]`: whom i waits for; kNobody, or a number that is none: nobody.
  explicit WaitGraph(std::span<const std::size_t> blockers);

  const Place& operator[](std::size_t index) const { return places_[index]; }

  // The members of the deadlock that a root stands for, in the order in which each waits for the
  // next.
  std::vector<std::size_t> members(std::size_t root) const;

 private:
  void place(std::size_t first);
  void count_waiters();

  std::vector<std::size_t> blockers_;
  std::vector<Place> places_;
};

}  // namespace vitrine::views
