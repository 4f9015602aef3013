#include "vitrine/consistency/locks.h"

#include <gtest/gtest.h>

#include "tests/synthetic/attached.h"
#include "tests/synthetic/locks.h"

namespace vitrine::consistency {
namespace {

using base::GuestVirtual;
using synthetic::LockForms;
using views::LockKind;

class LockWords : public ::testing::TestWithParam<LockForms> {
 protected:
  static synthetic::GuestOptions options(LockForms forms) {
    synthetic::GuestOptions options;
    options.kernel.locks = forms;
    options.kernel.shuffle_seed = 11;
    return options;
  }
  synthetic::Kernel& kernel() { return guest_.kernel(); }
  bool held(LockKind kind, GuestVirtual lock) {
    const LockForm form = understood_.form(kind).value();
    const GuestVirtual at = lock + form.offset;
    return form.held(form.size == 4 ? kernel().get<std::uint32_t>(at)
                                    : kernel().get<std::uint64_t>(at));
  }

  synthetic::Guest guest_{options(GetParam())};
  synthetic::Locks locks_{guest_.kernel()};
  Locks understood_ = Locks::understand(synthetic::locate_kernel(guest_).types);
};
INSTANTIATE_TEST_SUITE_P(Forms, LockWords,
                         ::testing::Values(LockForms::several_processors, LockForms::real_time));

TEST_P(LockWords, TellWritersFromReadersAndFromNobody) {
  const GuestVirtual tasks = kernel().symbol("tasklist_lock");
  EXPECT_FALSE(held(LockKind::rwlock, tasks));
  locks_.read_lock(tasks);
  EXPECT_FALSE(held(LockKind::rwlock, tasks));
  locks_.write_unlock(tasks);
  locks_.write_lock(tasks);
  EXPECT_TRUE(held(LockKind::rwlock, tasks));

  const GuestVirtual mounts = kernel().symbol("namespace_sem");
  EXPECT_FALSE(held(LockKind::semaphore, mounts));
  locks_.down_read(mounts);
  EXPECT_FALSE(held(LockKind::semaphore, mounts));
  locks_.up_write(mounts);
  locks_.down_write(mounts);
  EXPECT_TRUE(held(LockKind::semaphore, mounts));
}

TEST_P(LockWords, TellWhetherOneTaskHoldsThem) {
  const GuestVirtual ids = kernel().symbol("pidmap_lock");
  EXPECT_FALSE(held(LockKind::spinlock, ids));
  locks_.spin_lock(ids);
  EXPECT_TRUE(held(LockKind::spinlock, ids));
  locks_.spin_unlock(ids);
  EXPECT_FALSE(held(LockKind::spinlock, ids));

  const GuestVirtual modules = kernel().symbol("module_mutex");
  EXPECT_FALSE(held(LockKind::mutex, modules));
  locks_.mutex_lock(modules);
  EXPECT_TRUE(held(LockKind::mutex, modules));
}

TEST_P(LockWords, SequencesAreOddWhileSomebodyWrites) {
  const GuestVirtual mounts = kernel().symbol("mount_lock");
  EXPECT_FALSE(held(LockKind::seqlock, mounts));
  locks_.write_sequence(mounts);
  EXPECT_TRUE(held(LockKind::seqlock, mounts));
  locks_.write_sequence(mounts);
  EXPECT_FALSE(held(LockKind::seqlock, mounts));
  EXPECT_EQ(understood_.form(LockKind::seqlock)->compared, ~std::uint64_t{0})
      << "each writer leaves a mark";
}

TEST(LockForms, SpinlocksWithoutAWordAreNotUnderstood) {
  synthetic::GuestOptions options;
  options.kernel.locks = LockForms::one_processor;
  synthetic::Guest guest(options);
  const Locks locks = Locks::understand(synthetic::locate_kernel(guest).types);
  EXPECT_FALSE(locks.form(LockKind::spinlock));
  EXPECT_FALSE(locks.form(LockKind::rwlock));
  EXPECT_TRUE(locks.form(LockKind::semaphore));
  EXPECT_TRUE(locks.form(LockKind::seqlock));
}

}  // namespace
}  // namespace vitrine::consistency
