#include "vitrine/consistency/collector.h"

#include <chrono>
#include <thread>

namespace vitrine::consistency {
namespace {

using Clock = std::chrono::steady_clock;

// A writer that a processor runs is done within microseconds; one that waits for a processor, or
// sleeps with a lock, is not, and then trying at once is in vain.
constexpr std::uint32_t kTriesAtOnce = 16;
constexpr std::chrono::microseconds kBetweenTries{50};

void add(memory::Cost& to, memory::Cost more) {
  to.reads += more.reads;
  to.bytes += more.bytes;
}

}  // namespace

template <memory::PhysicalReader Plain>
Collector<Plain>::Collector(const kernel::Kernel& kernel, Plain& data, const Plain& unused)
    : first_locks_plain_(unused),
      locks_plain_(unused),
      data_(kernel, data),
      first_locks_(kernel, first_locks_plain_),
      locks_(kernel, locks_plain_),
      guards_(kernel) {}

template <memory::PhysicalReader Plain>
Collection Collector<Plain>::collect(views::View& view, const Demand& demand) {
  Collection result;
  result.verdict.collects = 0;
  if (demand.quiescent) guards_.begin(view);
  const auto deadline = Clock::now() + demand.time;
  for (std::uint32_t tried = 1;; ++tried) {
    const bool done = try_once(view, demand, result);
    if (done || tried >= demand.tries || Clock::now() >= deadline) break;
    if (tried >= kTriesAtOnce) std::this_thread::sleep_for(kBetweenTries);
  }
  result.verdict.held = guards_.held();
  return result;
}

// Whether the demand is met, or can't be.
template <memory::PhysicalReader Plain>
bool Collector<Plain>::try_once(views::View& view, const Demand& demand, Collection& result) {
  guards_.forget_held();
  bool free = demand.quiescent && guards_.understood();
  if (free) {
    first_locks_.reader.begin();
    free = guards_.global_free(first_locks_.reader);
    add(result.cost, first_locks_.plain.cost());
  }
  data_.reader.begin();
  result.outcome = view.collect(&data_.reader);
  add(result.cost, data_.plain.cost());
  if (free) {
    free = locks_free(view);
    add(result.cost, locks_.plain.cost());
  }
  const bool unchanged = still(data_, result);
  free = free && unchanged && still(locks_, result) && still(first_locks_, result);
  result.verdict.collects += 2;
  result.verdict.atomic = unchanged ? Atomic::unchanged : Atomic::no;
  if (!demand.quiescent || !guards_.understood()) return unchanged;
  result.verdict.quiescent = unchanged && free ? Quiescent::yes : Quiescent::no;
  return unchanged && free;
}

// Whether reading it again gives the same.
template <memory::PhysicalReader Plain>
bool Collector<Plain>::still(Read& what, Collection& result) {
  what.plain.begin();
  const bool same = memory::holds(what.recording, what.plain);
  add(result.cost, what.plain.cost());
  return same;
}

template <memory::PhysicalReader Plain>
bool Collector<Plain>::locks_free(const views::View& view) {
  locks_.reader.begin();
  const bool free = guards_.global_free(locks_.reader);
  return guards_.objects_free(locks_.reader, view) && free;
}

template <memory::PhysicalReader Plain>
void Collector<Plain>::look_at_locks(const views::View& view, Verdict& verdict) {
  guards_.begin(view);
  const bool free = locks_free(view);
  verdict.held = guards_.held();
  if (guards_.understood()) verdict.quiescent = free ? Quiescent::yes : Quiescent::no;
}

template class Collector<memory::WindowReader>;
template class Collector<memory::GatherReader>;

}  // namespace vitrine::consistency
