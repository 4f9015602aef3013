// The guest goes on between every two loads of the in-place readers: whatever they meet, a walk
// ends, within bounds, and what it shows is rows or the reason why there are none.
#include <gtest/gtest.h>

#include <random>

#include "tests/synthetic/attached.h"
#include "tests/synthetic/load_hook.h"
#include "tests/synthetic/random_of_test.h"

namespace vitrine::views {
namespace {

using base::GuestVirtual;
using synthetic::Guest;
using synthetic::GuestOptions;
using synthetic::LoadHook;
using synthetic::Observer;
using synthetic::ReaderKind;
using synthetic::rows_by_pid;

constexpr int kProcesses = 6;
constexpr std::size_t kTasks = 12;

class Mutated : public ::testing::TestWithParam<ReaderKind> {
 protected:
  using Mutator = std::function<void(std::uint64_t load)>;

  Mutated() {
    for (int pid = 1; pid <= kProcesses; ++pid)
      guest_.add_process({.pid = pid,
                          .comm = "task",
                          .threads = {{.pid = pid + 100}},
                          .arguments = {"prog", "argument"}});
    view_ = attach_processes(kernel_, guest_, {.threads = true});
  }
  static GuestOptions mapped() {
    GuestOptions options;
    options.mapped = true;
    return options;
  }

  // Collects while the mutator runs before each load; how many loads it took.
  std::uint64_t collect(Mutator mutator) {
    const LoadHook hook(dynamic_cast<synthetic::MappedMemory&>(guest_.memory()),
                        std::move(mutator));
    outcome_ = observer_.collect(*view_);
    return hook.loads();
  }
  void expect_rows_or_the_reason() const {
    EXPECT_EQ(outcome_.complete, outcome_.warnings.empty());
    EXPECT_FALSE(outcome_.complete && view_->size() == 0) << "a silently empty list";
    EXPECT_LE(view_->size(), 1000U);
    synthetic::rows_of(*view_);
  }

  // Links of the list of processes and of each list of threads, in the guest's memory.
  std::vector<GuestVirtual> links() {
    std::vector<GuestVirtual> all{head()};
    for (int pid = 1; pid <= kProcesses; ++pid) {
      all.push_back(guest_.processes().list_node(pid));
      all.push_back(
          guest_.kernel().member(guest_.processes().task(pid + 100), "task_struct", "thread_node"));
    }
    return all;
  }
  GuestVirtual head() {
    return guest_.kernel().member(guest_.kernel().symbol("init_task"), "task_struct", "tasks");
  }
  void put(GuestVirtual at, std::uint64_t value) { guest_.kernel().put(at, value); }

  Guest guest_{mapped()};
  kernel::Kernel kernel_ = locate_kernel(guest_);
  std::unique_ptr<View> view_;
  Observer observer_{kernel_, guest_.memory(), GetParam()};
  Outcome outcome_;
};
INSTANTIATE_TEST_SUITE_P(Readers, Mutated,
                         ::testing::Values(ReaderKind::windowed, ReaderKind::recording_windowed));

TEST_P(Mutated, AQuietGuestIsReadWhole) {
  const std::uint64_t loads = collect([](std::uint64_t) {});
  EXPECT_GT(loads, kTasks * 10);
  EXPECT_TRUE(outcome_.complete);
  EXPECT_EQ(view_->size(), kTasks);
}

// A process leaves at moments all along the walk, its link poisoned or leading to itself.
TEST_P(Mutated, AnyMomentOfAChangeIsSurvived) {
  const GuestVirtual before = guest_.processes().list_node(3);
  const GuestVirtual leaving = guest_.processes().list_node(4);
  const GuestVirtual after = guest_.processes().list_node(5);
  const std::uint64_t loads = collect([](std::uint64_t) {});
  for (std::uint64_t moment = 0; moment < loads; moment += 9) {
    collect([&](std::uint64_t load) {
      if (load != moment) return;
      put(before, after.value);
      put(leaving, moment % 2 == 0 ? 0xdead000000000100 : leaving.value);
    });
    expect_rows_or_the_reason();
    EXPECT_GE(view_->size(), 3U * 2) << moment;
    const auto rows = rows_by_pid(*view_);
    for (const std::uint64_t pid : {1U, 2U, 3U}) EXPECT_TRUE(rows.contains(pid)) << moment;
    // Whole is with or without the process that left, read again if need be.
    EXPECT_TRUE(!outcome_.complete || view_->size() >= 5U * 2) << moment;
    put(before, leaving.value);
    put(leaving, after.value);
  }
}

// Links that lead elsewhere each time they are read.
TEST_P(Mutated, LinksThatNeverHoldStillComeToAnEnd) {
  const std::vector<GuestVirtual> nodes = links();
  std::mt19937_64 random = synthetic::random_of_test();
  for (int round = 0; round < 40; ++round) {
    const std::uint64_t loads = collect([&](std::uint64_t) {
      const std::array<std::uint64_t, 4> astray{0, 0xdead000000000100, ~std::uint64_t{7},
                                                head().value};
      const std::uint64_t to = random() % 64 == 0 ? astray[random() % astray.size()]
                                                  : nodes[random() % nodes.size()].value;
      put(nodes[random() % nodes.size()], to);
    });
    EXPECT_LE(loads, 50'000U);
    expect_rows_or_the_reason();
  }
}

// Every word that bounds a copy is valid at one load and monstrous at the next, by chance: a value
// that is fetched twice, once to be checked and once to be used, is found out.
TEST_P(Mutated, ValuesAreCheckedAndUsedAsFetchedOnce) {
  const GuestVirtual mm = guest_.processes().of(2).mm.value();
  const GuestVirtual start = guest_.kernel().member(mm, "mm_struct", "arg_start");
  const GuestVirtual end = guest_.kernel().member(mm, "mm_struct", "arg_end");
  const GuestVirtual environment = guest_.kernel().member(mm, "mm_struct", "env_end");
  const auto text = guest_.kernel().get<std::uint64_t>(start);
  std::mt19937_64 random = synthetic::random_of_test();
  int read = 0;
  for (int round = 0; round < 60; ++round) {
    collect([&](std::uint64_t) {
      put(start, random() % 2 == 0 ? text : 0);
      put(end, random() % 2 == 0 ? text + 13 : text + (std::uint64_t{1} << 45));
      put(environment, random() % 2 == 0 ? text + 77 : ~std::uint64_t{0});
    });
    EXPECT_TRUE(outcome_.complete);
    expect_rows_or_the_reason();
    const auto row = rows_by_pid(*view_).at(2);
    EXPECT_EQ(row.is_null("cmdline"), !row.errors.empty());
    read += row.is_null("cmdline") ? 0 : 1;
    EXPECT_LE(row.text("cmdline").size(), 13U + 4096U);
  }
  EXPECT_GT(read, 0);
}

// Pages go away and come back: a balloon at work.
TEST_P(Mutated, PagesThatComeAndGoAreNoCrash) {
  const auto page = [this](GuestVirtual at) {
    return base::GuestPhysical(guest_.kernel().physical(at).value & ~std::uint64_t{4095});
  };
  const base::GuestPhysical page_of_task = page(guest_.processes().task(4));
  std::vector<std::byte> content(4096);
  guest_.memory().peek(page_of_task, content);
  for (const std::uint64_t period : {1U, 2U, 3U, 7U, 50U}) {
    collect([&](std::uint64_t load) {
      if (load / period % 2 == 0)
        guest_.memory().punch_hole({page_of_task, 4096});
      else
        guest_.memory().write(page_of_task, content);
    });
    expect_rows_or_the_reason();
  }
  guest_.memory().write(page_of_task, content);
  EXPECT_TRUE(observer_.collect(*view_).complete);
  EXPECT_EQ(view_->size(), kTasks);
}

}  // namespace
}  // namespace vitrine::views
