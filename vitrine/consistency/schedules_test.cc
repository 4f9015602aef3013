// Verdicts against the truth: a guest that is driven step by step, a store at a time, between any
// two loads of an observation.
//
// Two words are changed together under a lock, and every schedule of the stores is tried. What is
// called unchanged then has been the guest's memory at one instant, and what is called quiescent
// had no change half done; but where a value changed and changed back in between, which no reader
// can see, and which is counted apart. A sequence count sees that, too.
#include <gtest/gtest.h>

#include <variant>

#include "tests/synthetic/driven.h"

namespace vitrine::consistency {
namespace {

using base::GuestVirtual;
using synthetic::By;
using synthetic::Guest;
using views::GlobalGuard;
using views::LockKind;

constexpr std::array<GlobalGuard, 1> kLock{{{LockKind::rwlock, "tasklist_lock"}}};
constexpr std::array<GlobalGuard, 1> kSequence{{{LockKind::seqlock, "mount_lock"}}};

// Two words of the guest, each in a page of its own.
class Pair final : public views::View {
 public:
  Pair(std::array<GuestVirtual, 2> at, std::span<const GlobalGuard> guards)
      : at_(at), guards_(guards) {}
  std::string_view name() const override { return "pair"; }
  std::span<const views::Column> columns() const override { return {}; }
  std::span<const GlobalGuard> global_guards() const override { return guards_; }
  views::Outcome collect(views::Reader& reader) override {
    return {reader.load(at_[0], words[0]) && reader.load(at_[1], words[1]), {}};
  }
  std::size_t size() const override { return 0; }
  views::Row row(std::size_t) const override { return {}; }

  std::array<std::uint64_t, 2> words{};

 private:
  std::array<GuestVirtual, 2> at_;
  std::span<const GlobalGuard> guards_;
};

class EverySchedule : public ::testing::TestWithParam<By> {
 protected:
  using Words = std::array<std::uint64_t, 2>;

  EverySchedule() {
    for (GuestVirtual& at : at_) {
      at = guest_.kernel().direct(guest_.frames().take());
      guest_.frames().take();  // neighbours would be gathered in one piece
    }
  }

  // Both words to `value` under the lock: four stores.
  void append(std::vector<std::function<void()>>& steps, bool sequence, std::uint64_t value) {
    const GuestVirtual lock = guest_.kernel().symbol(sequence ? "mount_lock" : "tasklist_lock");
    const auto word = [this, value](std::size_t which) {
      return [this, value, which] {
        guest_.kernel().put(at_.at(which), value);
        words_.at(which) = value;
      };
    };
    steps.emplace_back([this, lock, sequence] {
      sequence ? locks_.write_sequence(lock) : locks_.write_lock(lock);
      held_ = true;
    });
    steps.push_back(word(0));
    steps.push_back(word(1));
    steps.emplace_back([this, lock, sequence] {
      sequence ? locks_.write_sequence(lock) : locks_.write_unlock(lock);
      held_ = false;
    });
  }

  // Every way in which the steps can come before the moments of one observation, or after it.
  synthetic::Judgement<Words> explore(bool sequence, const std::vector<std::uint64_t>& values) {
    Pair pair(at_, sequence ? std::span<const GlobalGuard>(kSequence) : kLock);
    std::vector<std::function<void()>> steps;
    for (const std::uint64_t value : values) append(steps, sequence, value);
    synthetic::Driver driver(kernel_, guest_, GetParam());
    for (int round = 0; round < 3; ++round)
      driver.collect(pair, synthetic::one_try, [](std::uint64_t) {});
    const std::uint64_t moments = driver.moments();
    std::vector<std::uint64_t> schedule(steps.size(), 0);  // before which moment each step is
    synthetic::Judgement<Words> count;
    do {
      std::vector<synthetic::Moment<Words>> history{{words_, held_}};
      std::size_t next = 0;
      const Collection seen = driver.collect(pair, synthetic::one_try, [&](std::uint64_t moment) {
        for (; next < steps.size() && schedule[next] <= moment; ++next) {
          steps[next]();
          history.push_back({words_, held_});
        }
      });
      count.judge(seen.verdict, pair.words, history, changed_back(history));
      for (; next < steps.size(); ++next) steps[next]();
      for (const GuestVirtual at : at_) guest_.kernel().put(at, std::uint64_t{0});
      words_ = {};
    } while (advance(schedule, moments));
    return count;
  }

  static bool changed_back(const std::vector<synthetic::Moment<Words>>& history) {
    for (std::size_t word = 0; word < 2; ++word)
      for (std::size_t i = 0; i < history.size(); ++i) {
        bool changed = false;
        for (std::size_t j = i; j < history.size(); ++j) {
          const bool same = history[j].shown.at(word) == history[i].shown.at(word);
          if (same && changed) return true;
          changed |= !same;
        }
      }
    return false;
  }

  // The next schedule in order; the moments never go down from one step to the next.
  static bool advance(std::vector<std::uint64_t>& schedule, std::uint64_t moments) {
    for (std::size_t i = schedule.size(); i-- > 0;) {
      if (schedule[i] == moments) continue;
      std::fill(schedule.begin() + static_cast<std::ptrdiff_t>(i), schedule.end(), schedule[i] + 1);
      return true;
    }
    return false;
  }

  Guest guest_{synthetic::Driver::options()};
  synthetic::Locks locks_{guest_.kernel()};
  kernel::Kernel kernel_ = locate_kernel(guest_);
  std::array<GuestVirtual, 2> at_;
  Words words_{};
  bool held_ = false;
};
INSTANTIATE_TEST_SUITE_P(Readers, EverySchedule, ::testing::Values(By::windows, By::gathering));

TEST_P(EverySchedule, OfOneChangeNoVerdictIsWrong) {
  for (const bool sequence : {false, true}) {
    const auto count = explore(sequence, {1});
    EXPECT_EQ(count.wrong, 0);
    EXPECT_EQ(count.deceived_unchanged + count.deceived_quiescent, 0);
    EXPECT_GT(count.torn, 0) << "what is collected once can be torn";
    EXPECT_GT(count.unchanged, count.quiescent) << "half a change is unchanged, but not quiescent";
    EXPECT_GT(count.quiescent, 0);
  }
}

TEST_P(EverySchedule, WhatChangesAndComesBackCanDeceiveALock) {
  const auto count = explore(false, {1, 0});
  EXPECT_EQ(count.wrong, 0);
  EXPECT_GT(count.deceived_quiescent, 0) << "the limit is real: docs/consistency.md names it";
  EXPECT_LT(count.deceived_quiescent, count.quiescent / 10);
}

TEST_P(EverySchedule, ButNotASequenceCount) {
  const auto count = explore(true, {1, 0});
  EXPECT_EQ(count.wrong, 0);
  EXPECT_GT(count.quiescent, 0);
  EXPECT_EQ(count.deceived_quiescent, 0);
}

}  // namespace
}  // namespace vitrine::consistency
