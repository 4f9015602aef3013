// What observations of a synthetic guest's processes are asked for, and get.
#include "vitrine/consistency/collector.h"

#include <gtest/gtest.h>

#include "tests/synthetic/attached.h"
#include "tests/synthetic/files.h"
#include "tests/synthetic/locks.h"
#include "vitrine/views/files.h"

namespace vitrine::consistency {
namespace {

using base::GuestPhysical;
using base::GuestVirtual;
using synthetic::Guest;
using synthetic::GuestOptions;
using synthetic::LockForms;

class CollectorTest : public ::testing::TestWithParam<LockForms> {
 protected:
  CollectorTest() {
    for (int pid = 1; pid <= 4; ++pid)
      guest_.add_process({.pid = pid, .comm = "task", .rss_pages = {5, 6}, .arguments = {"prog"}});
    for (int pid = 1; pid <= 4; ++pid)
      locks_.initialise_semaphore(
          guest_.kernel().member(*guest_.processes().of(pid).mm, "mm_struct", "mmap_lock"));
    files_.attach(1);
    kernel_.emplace(locate_kernel(guest_));
    view_ = attach_processes(*kernel_, guest_);
    collector_.emplace(*kernel_, plain_, memory::Reader(guest_.memory()));
  }
  static GuestOptions options() {
    GuestOptions options;
    options.kernel.locks = GetParam();
    return options;
  }
  synthetic::Kernel& kernel() { return guest_.kernel(); }

  Collection collect(Demand demand) {
    demand.time = std::chrono::minutes(1);  // a test is not told by the clock
    return collector_->collect(*view_, demand);
  }
  // Lets the guest do something as soon as the collector has asked for memory so many times.
  void after_requests(int count, std::function<void()> change) {
    guest_.memory().before_each_request(
        [count, change = std::move(change)](const memory::ReadRequest&) mutable {
          if (count-- == 0) change();
        });
  }

  Guest guest_{options()};
  synthetic::Locks locks_{guest_.kernel()};
  synthetic::Files files_{guest_.kernel(), guest_.processes()};
  std::optional<kernel::Kernel> kernel_;
  std::unique_ptr<views::View> view_;
  memory::Reader plain_{guest_.memory()};
  std::optional<Collector> collector_;
};
INSTANTIATE_TEST_SUITE_P(Forms, CollectorTest,
                         ::testing::Values(LockForms::several_processors, LockForms::real_time));

constexpr Demand kAtomic{.atomic = true, .tries = 5};
constexpr Demand kQuiescent{.quiescent = true, .tries = 5};

TEST_P(CollectorTest, AQuietGuestIsReadTwice) {
  const Collection seen = collect(kAtomic);
  EXPECT_EQ(seen.verdict.atomic, Atomic::unchanged);
  EXPECT_EQ(seen.verdict.quiescent, Quiescent::unknown) << "nobody asked";
  EXPECT_EQ(seen.verdict.collects, 2U);
  EXPECT_TRUE(seen.outcome.complete);
  EXPECT_EQ(view_->size(), 4U);
  const Collection quiet = collect(kQuiescent);
  EXPECT_EQ(quiet.verdict.atomic, Atomic::unchanged);
  EXPECT_EQ(quiet.verdict.quiescent, Quiescent::yes);
  EXPECT_TRUE(quiet.verdict.held.empty());
}

// At every moment of it, a change of what is shown is noticed, and the next try shows it.
TEST_P(CollectorTest, AChangeAtAnyMomentLeadsToAnotherTry) {
  for (int round = 0; round < 3; ++round) collect(kAtomic);
  guest_.memory().reset_statistics();
  collect(kAtomic);
  const auto requests = static_cast<int>(guest_.memory().statistics().requests);
  ASSERT_GE(requests, 8);
  int retried = 0;
  for (int moment = 0; moment < requests; ++moment) {
    const auto uid = static_cast<std::uint64_t>(moment + 1);
    bool changed = false;
    after_requests(moment, [&] {
      kernel().set(guest_.processes().of(3).cred, "cred", "uid.val", uid);
      changed = true;
    });
    const Collection seen = collect(kAtomic);
    guest_.memory().before_each_request({});
    ASSERT_TRUE(changed) << moment;
    EXPECT_EQ(seen.verdict.atomic, Atomic::unchanged);
    EXPECT_LE(seen.verdict.collects, 4U);
    retried += seen.verdict.collects == 4 ? 1 : 0;
    const auto shown = synthetic::rows_by_pid(*view_).at(3).number("uid");
    EXPECT_TRUE(shown == uid || shown == uid - 1) << moment;
    EXPECT_TRUE(seen.verdict.collects == 2 || shown == uid) << moment;
  }
  EXPECT_GT(retried, 0);
  EXPECT_LT(retried, requests);
}

TEST_P(CollectorTest, StatisticsAndWhatProcessorsMarkMayChange) {
  const GuestVirtual mm = *guest_.processes().of(2).mm;
  std::uint64_t pages = 100;
  guest_.memory().before_each_request([&](const memory::ReadRequest&) {
    kernel().put(kernel().member(mm, "mm_struct", "rss_stat"), ++pages);
  });
  EXPECT_EQ(collect(kAtomic).verdict.collects, 2U);
  EXPECT_GT(synthetic::rows_by_pid(*view_).at(2).number("rss_bytes"), 100U * 4096);
  // The second collection meets every page-table entry with the accessed and dirty bits turned.
  const auto entry = collector_->recording().masked().front().value.at();
  guest_.memory().before_each_request([&](const memory::ReadRequest&) {
    guest_.memory().put(entry, guest_.memory().get<std::uint64_t>(entry) ^ 0x60);
  });
  EXPECT_EQ(collect(kAtomic).verdict.collects, 2U);
  // But any other bit counts.
  const auto mapped = guest_.memory().get<std::uint64_t>(entry);
  std::uint64_t software_bits = 0;
  guest_.memory().before_each_request([&](const memory::ReadRequest&) {
    guest_.memory().put(entry, mapped | ++software_bits % 64 << 52);
  });
  EXPECT_EQ(collect(kAtomic).verdict.atomic, Atomic::no);
}

TEST_P(CollectorTest, AGuestThatNeverRestsEndsTheTries) {
  std::uint64_t uid = 0;
  guest_.memory().before_each_request([&](const memory::ReadRequest&) {
    kernel().set(guest_.processes().of(1).cred, "cred", "uid.val", ++uid);
  });
  const Collection seen = collect(kQuiescent);
  EXPECT_EQ(seen.verdict.atomic, Atomic::no);
  EXPECT_EQ(seen.verdict.quiescent, Quiescent::no);
  EXPECT_EQ(seen.verdict.collects, 10U);
  EXPECT_EQ(view_->size(), 4U) << "the last try's rows are there all the same";
  Demand soon = kAtomic;
  soon.tries = 1'000'000;
  soon.time = std::chrono::milliseconds(20);
  EXPECT_EQ(collector_->collect(*view_, soon).verdict.atomic, Atomic::no);
}

TEST_P(CollectorTest, LocksThatAWriterHoldsAreNamed) {
  const auto held = [&] {
    const Collection seen = collect(kQuiescent);
    EXPECT_EQ(seen.verdict.atomic, Atomic::unchanged);
    EXPECT_EQ(seen.verdict.quiescent, seen.verdict.held.empty() ? Quiescent::yes : Quiescent::no);
    return seen.verdict.held;
  };
  const GuestVirtual tasks = kernel().symbol("tasklist_lock");
  locks_.write_lock(tasks);
  EXPECT_EQ(held(), std::vector<std::string>{"tasklist_lock"});
  locks_.write_unlock(tasks);
  locks_.read_lock(tasks);
  EXPECT_TRUE(held().empty()) << "readers change nothing";
  locks_.write_unlock(tasks);
  const GuestVirtual maps = kernel().member(*guest_.processes().of(3).mm, "mm_struct", "mmap_lock");
  locks_.down_write(maps);
  EXPECT_EQ(held(), std::vector<std::string>{"mmap_lock of process 3"});
  locks_.up_write(maps);
  locks_.spin_lock(kernel().member(guest_.processes().task(2), "task_struct", "alloc_lock"));
  EXPECT_EQ(held(), std::vector<std::string>{"alloc_lock of process 2"});
}

TEST_P(CollectorTest, ALockThatIsLetGoIsWaitedFor) {
  const GuestVirtual tasks = kernel().symbol("tasklist_lock");
  locks_.write_lock(tasks);
  collect(kQuiescent);
  after_requests(25, [&] { locks_.write_unlock(tasks); });
  const Collection seen = collect(kQuiescent);
  EXPECT_EQ(seen.verdict.quiescent, Quiescent::yes);
  EXPECT_GT(seen.verdict.collects, 2U);
}

TEST_P(CollectorTest, OfMemoryThatStandsStillTheLocksAloneAreAsked) {
  Verdict verdict;
  synthetic::Observer observer(*kernel_, guest_.memory(), synthetic::ReaderKind::gathering);
  observer.collect(*view_);
  collector_->look_at_locks(*view_, verdict);
  EXPECT_EQ(verdict.quiescent, Quiescent::yes);
  locks_.spin_lock(kernel().symbol("pidmap_lock"));
  collector_->look_at_locks(*view_, verdict);
  EXPECT_EQ(verdict.quiescent, Quiescent::no);
  EXPECT_EQ(verdict.held, std::vector<std::string>{"pidmap_lock"});
}

TEST_P(CollectorTest, FilesHaveLocksOfTheirOwn) {
  files_.open(1, files_.root_mount(), files_.root_entry());
  auto view = views::Files::attach(*kernel_, guest_.memory(), {});
  ASSERT_TRUE(view);
  view_ = std::move(*view);
  EXPECT_EQ(collect(kQuiescent).verdict.quiescent, Quiescent::yes);
  const GuestVirtual table(kernel().value(guest_.processes().task(1), "task_struct", "files"));
  const GuestVirtual lock = kernel().member(table, "files_struct", "file_lock");
  locks_.spin_lock(lock);
  EXPECT_EQ(collect(kQuiescent).verdict.held,
            std::vector<std::string>{"files.file_lock of process 1"});
  locks_.spin_unlock(lock);
  locks_.write_sequence(kernel().symbol("rename_lock"));
  EXPECT_EQ(collect(kQuiescent).verdict.held, std::vector<std::string>{"rename_lock"});
}

TEST(Unknown, WhereALockKeepsNoWordOrTheViewNamesNone) {
  GuestOptions options;
  options.kernel.locks = LockForms::one_processor;
  Guest guest(options);
  guest.add_process({.pid = 1, .comm = "init"});
  const kernel::Kernel kernel = locate_kernel(guest);
  const auto view = attach_processes(kernel, guest);
  memory::Reader plain(guest.memory());
  Collector collector(kernel, plain, memory::Reader(guest.memory()));
  const Collection seen = collector.collect(*view, kQuiescent);
  EXPECT_EQ(seen.verdict.atomic, Atomic::unchanged);
  EXPECT_EQ(seen.verdict.quiescent, Quiescent::unknown);
  EXPECT_FALSE(reached(seen.verdict, kQuiescent));
  EXPECT_TRUE(reached(seen.verdict, kAtomic));
}

}  // namespace
}  // namespace vitrine::consistency
