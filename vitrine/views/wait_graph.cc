#include "vitrine/views/wait_graph.h"

#include <algorithm>
#include <utility>

namespace vitrine::views {

WaitGraph::WaitGraph(std::span<const std::size_t> blockers)
    : blockers_(blockers.begin(), blockers.end()), places_(blockers.size()) {
  for (std::size_t& blocker : blockers_)
    if (blocker >= blockers_.size()) blocker = kNobody;
  for (std::size_t i = 0; i < blockers_.size(); ++i) place(i);
  count_waiters();
}

// Follows the chain to what is placed already, to its end, or to where it closes, and places all of
// it on the way back.
void WaitGraph::place(std::size_t first) {
  constexpr std::size_t kOnTheWay = kNobody - 1;
  std::vector<std::size_t> chain;
  std::size_t at = first;
  while (places_[at].root == kNobody) {
    places_[at].root = kOnTheWay;
    chain.push_back(at);
    if (blockers_[at] == kNobody) {
      places_[at].root = at;
      chain.pop_back();
      break;
    }
    at = blockers_[at];
  }
  if (places_[at].root == kOnTheWay) {
    const auto cycle = std::ranges::find(chain, at);
    const std::size_t root = *std::min_element(cycle, chain.end());
    for (auto member = cycle; member != chain.end(); ++member)
      places_[*member] = {.root = root, .deadlock = true};
    chain.erase(cycle, chain.end());
  }
  for (; !chain.empty(); chain.pop_back()) {
    const Place& above = places_[blockers_[chain.back()]];
    places_[chain.back()] = {
        .root = above.root, .depth = above.depth + 1, .deadlock = above.deadlock};
  }
}

// The deepest first, so that each has its own count when it is added to the one it waits for.
void WaitGraph::count_waiters() {
  std::vector<std::size_t> order(places_.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::sort(order, {}, [this](std::size_t i) { return ~places_[i].depth; });
  std::vector<std::size_t> behind_deadlock(places_.size());
  for (const std::size_t i : order) {
    if (places_[i].depth == 0) continue;
    Place& above = places_[blockers_[i]];
    if (above.deadlock && above.depth == 0)
      behind_deadlock[above.root] += places_[i].waiters + 1;
    else
      above.waiters += places_[i].waiters + 1;
  }
  for (std::size_t i = 0; i < places_.size(); ++i) {
    if (!places_[i].deadlock || places_[i].depth != 0 || places_[i].root != i) continue;
    const auto all = members(i);
    for (const std::size_t member : all)
      places_[member].waiters = behind_deadlock[i] + all.size() - 1;
  }
}

std::vector<std::size_t> WaitGraph::members(std::size_t root) const {
  std::vector<std::size_t> found;
  if (root >= places_.size() || !places_[root].deadlock || places_[root].depth != 0) return found;
  std::size_t at = root;
  do {
    found.push_back(at);
    at = blockers_[at];
  } while (at != root && found.size() <= places_.size());
  return found;
}

}  // namespace vitrine::views
