#include "vitrine/views/waits.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/synthetic/attached.h"
#include "tests/synthetic/lock_waiters.h"
#include "tests/synthetic/random_of_test.h"

namespace vitrine::views {
namespace {

using base::GuestVirtual;
using synthetic::Guest;
using synthetic::GuestOptions;
using synthetic::LockLists;
using synthetic::NamedRow;
using synthetic::Observer;
using synthetic::ReaderKind;
using synthetic::rows_of;

struct WaitVariant {
  ReaderKind reader;
  LockLists lists;
};

class WaitsTest : public ::testing::TestWithParam<WaitVariant> {
 protected:
  WaitsTest() {
    for (const int pid : {1, 2, 3, 4}) {
      guest_.add_process({.pid = pid, .parent = pid - 1, .comm = "task-" + std::to_string(pid)});
      guest_.processes().set_member(pid, "thread_pid", kPid + static_cast<std::uint64_t>(pid));
    }
  }
  static constexpr std::uint64_t kPid = 0xffff888000100000;

  static GuestOptions options() {
    GuestOptions options;
    options.mapped = true;
    options.kernel.lock_lists = GetParam().lists;
    options.kernel.shuffle_seed = 3;
    return options;
  }
  std::map<std::uint64_t, NamedRow> rows(const WaitOptions& options = {}) {
    auto view = Waits::attach(kernel_, guest_.memory(), options);
    if (!view) throw std::runtime_error(to_string(view.error()));
    view_ = std::move(*view);
    outcome_ = observer_.collect(*view_);
    return synthetic::rows_by_pid(*view_);
  }
  std::vector<std::string> summary() const { return static_cast<const Waits&>(*view_).summary(); }

  Guest guest_{options()};
  synthetic::LockWaiters locks_{guest_.kernel(), guest_.processes()};
  kernel::Kernel kernel_ = locate_kernel(guest_);
  Observer observer_{kernel_, guest_.memory(), GetParam().reader};
  std::unique_ptr<View> view_;
  Outcome outcome_;
};
INSTANTIATE_TEST_SUITE_P(
    All, WaitsTest,
    ::testing::Values(WaitVariant{ReaderKind::windowed, LockLists::headed},
                      WaitVariant{ReaderKind::gathering, LockLists::pointed},
                      WaitVariant{ReaderKind::recording_windowed, LockLists::pointed},
                      WaitVariant{ReaderKind::recording_gathering, LockLists::headed}));

TEST_P(WaitsTest, NobodyWaitsIsNoRow) {
  EXPECT_TRUE(rows().empty());
  EXPECT_TRUE(outcome_.complete);
}

// 2 and 3 wait for a mutex of 1; 4 for an rwsem of 3.
TEST_P(WaitsTest, ChainsOfLocksLeadToTheRoot) {
  const GuestVirtual mutex = locks_.mutex(1);
  const GuestVirtual rwsem = locks_.rwsem(3);
  locks_.wait_for_mutex(2, mutex);
  locks_.wait_for_mutex(3, mutex);
  locks_.wait_to_write(4, rwsem);
  const auto all = rows();
  ASSERT_EQ(all.size(), 4U);
  for (const std::uint64_t pid : {2U, 3U}) {
    const NamedRow& row = all.at(pid);
    EXPECT_EQ(row.text("waits_for"), "mutex");
    EXPECT_EQ(row.text("state"), "D");
    EXPECT_EQ(row.number("lock"), mutex.value);
    EXPECT_EQ(row.number("owner"), 1U);
    EXPECT_EQ(row.text("owner_comm"), "task-1");
    EXPECT_EQ(row.text("owner_known_by"), "lock");
    EXPECT_TRUE(row.text("function").starts_with("start_kernel+0x20/")) << row.text("function");
    EXPECT_TRUE(row.is_null("lock_name"));
  }
  EXPECT_EQ(all.at(4).text("waits_for"), "rwsem write");
  EXPECT_EQ(all.at(4).number("owner"), 3U);
  EXPECT_EQ(all.at(4).number("root"), 1U);
  EXPECT_EQ(all.at(4).number("depth"), 2U);
  EXPECT_EQ(all.at(1).number("waiters"), 3U);
  EXPECT_TRUE(all.at(1).is_null("waits_for"));
  ASSERT_EQ(summary().size(), 1U);
  EXPECT_TRUE(summary()[0].starts_with("root blocker: 1 (task-1)")) << summary()[0];
  EXPECT_TRUE(summary()[0].ends_with("; 3 wait for it")) << summary()[0];
  EXPECT_EQ(rows_of(*view_).front().number("pid"), 1U) << "the root comes first";

  EXPECT_EQ(rows({.pid = 4, .all = false}).size(), 3U) << "4, 3 and 1";
  EXPECT_TRUE(rows({.pid = 99, .all = false}).empty());
  EXPECT_NE(outcome_.warnings.back().find("no task 99"), std::string::npos);
}

TEST_P(WaitsTest, ACycleIsNamedAsADeadlock) {
  const GuestVirtual first = locks_.mutex(1);
  const GuestVirtual second = locks_.mutex(2);
  locks_.wait_for_mutex(2, first);
  locks_.wait_for_mutex(1, second);
  locks_.wait_for_mutex(4, second);
  const auto all = rows();
  ASSERT_EQ(all.size(), 3U);
  for (const std::uint64_t pid : {1U, 2U, 4U}) {
    EXPECT_TRUE(all.at(pid).flag("deadlock"));
    EXPECT_EQ(all.at(pid).text("deadlock_members"), "1,2");
    EXPECT_TRUE(all.at(pid).is_null("root"));
  }
  EXPECT_EQ(all.at(4).number("depth"), 1U);
  EXPECT_EQ(summary().front(), "deadlock: 1 (task-1) waits for mutex at " + to_string(second) +
                                   " of 2 (task-2), which waits for mutex at " + to_string(first) +
                                   " of 1 (task-1); 1 more wait for them");
}

TEST_P(WaitsTest, WhoWaitsForAChildInTroubleIsShown) {
  locks_.wait_for_child(2, GuestVirtual(kPid + 3));
  EXPECT_TRUE(rows().empty()) << "the child is in no trouble";
  EXPECT_EQ(rows({.pid = {}, .all = true}).at(2).number("owner"), 3U);
  locks_.wait_for_mutex(3, locks_.mutex(1));
  locks_.wait_for_child(1, {});  // any child: it has but one
  EXPECT_EQ(rows().size(), 3U);
  EXPECT_TRUE(rows().at(1).flag("deadlock")) << "which waits for it";
  EXPECT_EQ(rows().at(2).text("owner_known_by"), "child");
}

// A structure that a former call left on the stack is in no list.
TEST_P(WaitsTest, WhatIsInNoListIsNotBelieved) {
  const GuestVirtual mutex = locks_.mutex(1);
  const GuestVirtual waiter = locks_.wait_for_mutex(2, mutex);
  guest_.kernel().set(waiter, "mutex_waiter", "list.next", 0xdead000000000100);
  EXPECT_EQ(rows().at(2).text("waits_for"), "mutex");
  EXPECT_TRUE(rows().at(2).is_null("lock"));
  EXPECT_TRUE(rows().at(2).is_null("owner"));
}

TEST_P(WaitsTest, AnOwnerThatIsNoTaskIsAnError) {
  const GuestVirtual mutex = locks_.mutex(1);
  locks_.wait_for_mutex(2, mutex);
  guest_.kernel().set(mutex, "mutex", "owner", mutex.value);
  EXPECT_TRUE(rows().at(2).is_null("owner"));
  EXPECT_NE(rows().at(2).errors.at("owner").find("no task"), std::string::npos);
}

TEST_P(WaitsTest, WhateverLocksAndStacksHoldACollectionEnds) {
  const GuestVirtual mutex = locks_.mutex(1);
  const GuestVirtual rwsem = locks_.rwsem(2);
  const std::vector<GuestVirtual> objects{locks_.wait_for_mutex(2, mutex),
                                          locks_.wait_for_mutex(3, mutex), mutex, rwsem,
                                          locks_.wait_to_write(1, rwsem)};
  std::mt19937_64 random = synthetic::random_of_test();
  for (int round = 0; round < 120; ++round) {
    const GuestVirtual at = objects[random() % objects.size()] + random() % 6 * 8;
    const auto before = guest_.kernel().get<std::uint64_t>(at);
    guest_.kernel().put(at, random() % 2 == 0
                                ? random()
                                : (objects[random() % objects.size()] + random() % 4 * 8).value);
    EXPECT_LE(rows().size(), 4U);
    guest_.kernel().put(at, before);
  }
  EXPECT_TRUE(rows().at(3).flag("deadlock"));
}

}  // namespace
}  // namespace vitrine::views
