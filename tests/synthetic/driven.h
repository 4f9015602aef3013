// A synthetic guest that is driven step by step while it is observed, and verdicts held against
// what its memory really was.
//
// Thread contract: one thread at a time; see load_hook.h.
#pragma once

#include <functional>
#include <optional>
#include <span>

#include "tests/synthetic/attached.h"
#include "tests/synthetic/load_hook.h"
#include "tests/synthetic/locks.h"
#include "vitrine/consistency/collector.h"

namespace vitrine::synthetic {

enum class By : std::uint8_t { windows, gathering };

// Observes while the guest takes steps: `before` is called before every load, or before every
// request where memory is gathered.
class Driver {
 public:
  // What a guest has to be made with.
  static GuestOptions options() {
    GuestOptions options;
    options.mapped = true;
    return options;
  }

  Driver(const kernel::Kernel& kernel, Guest& guest, By by)
      : guest_(guest),
        by_(by),
        physical_(physical(guest, by)),
        collector_(kernel, physical_, physical(guest, by)) {
    memory::FaultRecovery::install();
  }

  consistency::Collection collect(views::View& view, const consistency::Demand& demand,
                                  const std::function<void(std::uint64_t)>& before) {
    if (by_ == By::windows) {
      const LoadHook hook(dynamic_cast<MappedMemory&>(guest_.memory()), before);
      consistency::Collection seen = collector_.collect(view, demand);
      moments_ = hook.loads();
      return seen;
    }
    moments_ = 0;
    guest_.memory().before_each_request([&](const memory::ReadRequest&) { before(moments_++); });
    consistency::Collection seen = collector_.collect(view, demand);
    guest_.memory().before_each_request({});
    return seen;
  }
  // Loads, or requests, of the last collection.
  std::uint64_t moments() const { return moments_; }

 private:
  static memory::Reader physical(Guest& guest, By by) {
    if (by == By::gathering) return memory::Reader(guest.memory());
    return memory::Reader(dynamic_cast<MappedMemory&>(guest.memory()).windows());
  }

  Guest& guest_;
  By by_;
  std::uint64_t moments_ = 0;
  memory::Reader physical_;
  consistency::Collector collector_;
};

constexpr consistency::Demand one_try{.quiescent = true, .tries = 1};

// What the guest's memory was after each step.
template <class Seen>
struct Moment {
  Seen shown;         // what a view of it would show
  bool held = false;  // a writer was at work
};

// Verdicts held against what was.
template <class Seen>
struct Judgement {
  int unchanged = 0, quiescent = 0;  // how often each was given
  int torn = 0;                      // how often what was seen never was
  int wrong = 0;                     // given wrongly, though nothing had changed back
  int deceived_unchanged = 0, deceived_quiescent = 0;  // wrongly, by what had changed back

  // `returned`: something changed and changed back in this history.
  void judge(const consistency::Verdict& verdict, const Seen& seen,
             std::span<const Moment<Seen>> history, bool returned) {
    bool was = false;
    bool was_quiet = false;
    for (const Moment<Seen>& moment : history) {
      was |= moment.shown == seen;
      was_quiet |= moment.shown == seen && !moment.held;
    }
    const bool called_unchanged = verdict.atomic == consistency::Atomic::unchanged;
    const bool called_quiescent = verdict.quiescent == consistency::Quiescent::yes;
    torn += was ? 0 : 1;
    unchanged += called_unchanged ? 1 : 0;
    quiescent += called_quiescent ? 1 : 0;
    const bool wrong_unchanged = called_unchanged && !was;
    const bool wrong_quiescent = called_quiescent && !was_quiet;
    wrong += (wrong_unchanged || wrong_quiescent) && !returned ? 1 : 0;
    deceived_unchanged += wrong_unchanged && returned ? 1 : 0;
    deceived_quiescent += wrong_quiescent && returned ? 1 : 0;
  }
};

}  // namespace vitrine::synthetic
