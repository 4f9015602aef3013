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

Collector::Collector(const kernel::Kernel& kernel, memory::Reader& data,
                     const memory::Reader& unused)
    : first_locks_reader_(unused),
      locks_reader_(unused),
      data_(kernel, data),
      first_locks_(kernel, first_locks_reader_),
      locks_(kernel, locks_reader_),
      guards_(kernel) {
  first_locks_reader_.record_into(&first_locks_.recording);
  locks_reader_.record_into(&locks_.recording);
}

Collection Collector::collect(views::View& view, const Demand& demand) {
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
bool Collector::try_once(views::View& view, const Demand& demand, Collection& result) {
  guards_.forget_held();
  bool free = demand.quiescent && guards_.understood();
  if (free) {
    first_locks_.reader.begin();
    free = guards_.global_free(first_locks_.reader);
    add(result.cost, first_locks_.physical.cost());
  }
  data_.physical.record_into(&data_.recording);
  data_.reader.begin();
  result.outcome = view.collect(data_.reader);
  data_.physical.record_into(nullptr);
  add(result.cost, data_.physical.cost());
  if (free) {
    free = locks_free(view);
    add(result.cost, locks_.physical.cost());
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
bool Collector::still(Read& what, Collection& result) {
  const bool same = what.physical.still_reads(what.recording);
  add(result.cost, what.physical.cost());
  return same;
}

bool Collector::locks_free(const views::View& view) {
  locks_.reader.begin();
  const bool free = guards_.global_free(locks_.reader);
  return guards_.objects_free(locks_.reader, view) && free;
}

void Collector::look_at_locks(const views::View& view, Verdict& verdict) {
  guards_.begin(view);
  const bool free = locks_free(view);
  verdict.held = guards_.held();
  if (guards_.understood()) verdict.quiescent = free ? Quiescent::yes : Quiescent::no;
}

}  // namespace vitrine::consistency
