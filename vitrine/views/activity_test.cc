#include "vitrine/views/activity.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/synthetic/attached.h"

namespace vitrine::views {
namespace {

using base::GuestVirtual;
using synthetic::Guest;
using synthetic::GuestOptions;
using synthetic::Observer;
using synthetic::ReaderKind;

// A process of one thread that used 5 ns, and one of three that used 10, 20 and 30 and had another.
class ActivityTest : public ::testing::TestWithParam<ReaderKind> {
 protected:
  ActivityTest() {
    guest_.add_process({.pid = 1, .comm = "init"});
    guest_.add_process({.pid = 2, .comm = "many", .threads = {{.pid = 3}, {.pid = 4}}});
    run(1, 5);
    run(2, 10);
    run(3, 20);
    run(4, 30);
    kernel().set(signal(), "signal_struct", "sum_sched_runtime", 1000);
  }
  static GuestOptions options() {
    GuestOptions options;
    options.mapped = true;
    options.kernel.shuffle_seed = 7;
    return options;
  }
  synthetic::Kernel& kernel() { return guest_.kernel(); }
  GuestVirtual signal() { return guest_.processes().of(2).signal; }
  void run(int pid, std::uint64_t ns) {
    guest_.processes().set_member(pid, "se.sum_exec_runtime", ns);
  }

  std::vector<std::optional<std::uint64_t>> times(bool threads = false) {
    if (!located_) {
      located_.emplace(locate_kernel(guest_));
      observer_.emplace(*located_, guest_.memory(), GetParam());
    }
    view_ = std::move(*Activity::attach(*located_, guest_.memory(), threads));
    observer_->collect(*view_);
    return activity().run_times();
  }
  const Activity& activity() const { return static_cast<const Activity&>(*view_); }

  Guest guest_{options()};
  std::optional<kernel::Kernel> located_;
  std::optional<Observer> observer_;
  std::unique_ptr<View> view_;
};
INSTANTIATE_TEST_SUITE_P(Readers, ActivityTest, ::testing::ValuesIn(synthetic::every_reader));

using Times = std::vector<std::optional<std::uint64_t>>;

TEST_P(ActivityTest, AddsUpTheTimeOfAllThreads) {
  EXPECT_EQ(times(), Times({5, 1060}));
  EXPECT_EQ(times(true), Times({5, 10, 20, 30}));
  EXPECT_EQ(activity().system().processors, 2U);
  EXPECT_EQ(activity().system().total_bytes, 64U << 20);
  EXPECT_FALSE(activity().system().load) << "this kernel does not tell";
}

TEST_P(ActivityTest, KnowsNoTimeWhereTheThreadsAreDamaged) {
  const GuestVirtual node =
      kernel().member(guest_.processes().task(3), "task_struct", "thread_node");
  const auto before = kernel().get<std::uint64_t>(node);
  kernel().put(node, node.value);
  EXPECT_EQ(times(), Times({5, std::nullopt})) << "a cycle";
  kernel().put(node, std::uint64_t{0xdead000000000100});
  EXPECT_EQ(times(), Times({5, std::nullopt}));
  kernel().put(node, before);
  EXPECT_EQ(times(), Times({5, 1060}));
}

}  // namespace
}  // namespace vitrine::views
