#include "vitrine/views/wait_kind.h"

#include <gtest/gtest.h>

namespace vitrine::views {
namespace {

TEST(WaitKind, IsToldByTheFunctionThatWaits) {
  EXPECT_EQ(told_by("__mutex_lock.constprop.0").kind, WaitKind::mutex);
  EXPECT_EQ(told_by("anon_pipe_read").kind, WaitKind::pipe_read);
  EXPECT_EQ(told_by("do_wait").telling, Telling::exactly);
  EXPECT_EQ(told_by("io_schedule").telling, Telling::vaguely);
  EXPECT_EQ(told_by("schedule_preempt_disabled").telling, Telling::machinery);
  EXPECT_EQ(told_by("vfs_write").telling, Telling::nothing);
  EXPECT_EQ(told_by("").telling, Telling::nothing);
}

TEST(WaitKind, HasAName) {
  EXPECT_EQ(name(WaitKind::rwsem_write), "rwsem write");
  EXPECT_EQ(name(WaitKind::work), "work");
  EXPECT_TRUE(is_lock(WaitKind::completion));
  EXPECT_FALSE(is_lock(WaitKind::futex));
}

}  // namespace
}  // namespace vitrine::views
