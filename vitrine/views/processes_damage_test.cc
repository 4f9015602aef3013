// Guests that are damaged, hostile, or change while they are read.
#include <gtest/gtest.h>

#include <random>

#include "tests/synthetic/attached.h"
#include "tests/synthetic/random_of_test.h"

namespace vitrine::views {
namespace {

using base::GuestPhysical;
using base::GuestVirtual;
using synthetic::Guest;
using synthetic::GuestOptions;
using synthetic::NamedRow;
using synthetic::Observer;
using synthetic::ReaderKind;
using synthetic::rows_by_pid;
using synthetic::rows_of;

class Damaged : public ::testing::TestWithParam<ReaderKind> {
 protected:
  Damaged() {
    for (const int pid : {1, 2, 3})
      guest_.add_process({.pid = pid, .comm = "task", .threads = {{.pid = pid * 100}}});
  }
  static GuestOptions mapped() {
    GuestOptions options;
    options.mapped = true;
    return options;
  }
  Outcome collect() { return observer_.collect(*view_); }
  void expect_incomplete(std::size_t most_rows = 100) {
    const Outcome outcome = collect();
    EXPECT_FALSE(outcome.complete);
    EXPECT_FALSE(outcome.warnings.empty());
    EXPECT_GE(view_->size(), 2U);
    EXPECT_LE(view_->size(), most_rows);
  }
  void damage(GuestVirtual next) { guest_.processes().set_next(2, next); }

  Guest guest_{mapped()};
  kernel::Kernel kernel_ = locate_kernel(guest_);
  std::unique_ptr<View> view_ = attach_processes(kernel_, guest_);
  Observer observer_{kernel_, guest_.memory(), GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Readers, Damaged, ::testing::ValuesIn(synthetic::every_reader));

TEST_P(Damaged, CyclesAreLeft) {
  damage(guest_.processes().list_node(1));
  expect_incomplete();
  damage(guest_.processes().list_node(2));
  expect_incomplete();
}

TEST_P(Damaged, AnEmptyListIsNotSilent) {
  const GuestVirtual head =
      guest_.kernel().member(guest_.kernel().symbol("init_task"), "task_struct", "tasks");
  for (const std::uint64_t first : {head.value, std::uint64_t{0}}) {
    guest_.kernel().put(head, first);
    const Outcome outcome = collect();
    EXPECT_EQ(view_->size(), 0U);
    EXPECT_FALSE(outcome.complete);
    EXPECT_EQ(outcome.warnings.size(), 1U);
  }
}

TEST_P(Damaged, PointersToNowhereEndTheList) {
  const std::uint64_t direct = guest_.kernel().page_offset();
  for (const std::uint64_t target :
       {std::uint64_t{0}, std::uint64_t{0x7f0012345000}, std::uint64_t{0xdead000000000100},
        direct + 48 * synthetic::megabyte + 8, direct + 64 * synthetic::megabyte - 4,
        direct + 80 * synthetic::gigabyte, ~std::uint64_t{0}}) {
    SCOPED_TRACE(base::to_hex(target));
    damage(GuestVirtual(target));
    expect_incomplete();
  }
  EXPECT_FALSE(guest_.memory().is_populated(GuestPhysical(48 * synthetic::megabyte)));
}

TEST_P(Damaged, APageThatCannotBeReadEndsTheList) {
  // A task in a page of its own, so that the others stay readable.
  const GuestVirtual task = guest_.processes().task(3);
  guest_.memory().fail_reads({guest_.kernel().physical(task), 4096});
  const Outcome outcome = collect();
  EXPECT_FALSE(outcome.complete);
  guest_.memory().stop_failing();
  EXPECT_TRUE(collect().complete);
  EXPECT_EQ(view_->size(), 3U);
}

TEST_P(Damaged, AnUnreadableFieldIsNullAndTheOthersAreShown) {
  guest_.processes().set_member(2, "real_cred", 0xdead000000000100);
  guest_.processes().set_member(2, "real_parent", 0x1000);
  guest_.processes().set_member(2, "signal", ~std::uint64_t{0} - 64);
  guest_.processes().set_member(2, "mm", guest_.kernel().page_offset() + synthetic::gigabyte);
  collect();
  ASSERT_EQ(view_->size(), 3U);
  auto rows = rows_by_pid(*view_);
  const NamedRow& row = rows[2];
  for (const char* column : {"uid", "gid", "ppid", "threads", "rss_bytes", "cmdline"}) {
    EXPECT_TRUE(row.is_null(column)) << column;
    EXPECT_TRUE(row.errors.contains(column)) << column;
  }
  EXPECT_EQ(row.text("comm"), "task");
  EXPECT_TRUE(rows[3].errors.empty());
}

TEST_P(Damaged, ThreadListsAreBoundedToo) {
  view_ = attach_processes(kernel_, guest_, {.threads = true, .command_lines = false});
  const GuestVirtual head =
      guest_.kernel().member(guest_.processes().of(2).signal, "signal_struct", "thread_head");
  const GuestVirtual node(guest_.kernel().get<std::uint64_t>(head));
  for (const std::uint64_t next : {node.value, std::uint64_t{0}, ~std::uint64_t{7}}) {
    guest_.kernel().put(node, next);
    expect_incomplete();
  }
}

TEST(ProcessTypes, AMissingMemberIsNamed) {
  for (const std::string member : {"start_boottime", "thread_head", "arg_start", "rss_stat"}) {
    Guest guest;
    const memory::Range types = guest.kernel().btf_range();
    std::string btf(types.size, '\0');
    guest.memory().peek(types.start, std::as_writable_bytes(std::span(btf.data(), btf.size())));
    const std::size_t at = btf.find('\0' + member + '\0');
    ASSERT_NE(at, std::string::npos) << member;
    guest.memory().write(types.start + at + 1, "X");
    const kernel::Kernel kernel = locate_kernel(guest);
    const auto view = Processes::attach(kernel, guest.memory(), {});
    ASSERT_FALSE(view) << member;
    EXPECT_NE(view.error().message.find(member), std::string::npos) << to_string(view.error());
  }
}

TEST(ProcessTypes, AKernelWithoutInitTaskIsUnsupported) {
  GuestOptions options;
  options.kernel.missing_symbols = {"init_task"};
  Guest guest(options);
  const kernel::Kernel kernel = locate_kernel(guest);
  const auto view = Processes::attach(kernel, guest.memory(), {});
  ASSERT_FALSE(view);
  EXPECT_EQ(view.error().code, base::Code::unsupported);
}

// The guest goes on between every two reads: tasks leave, and their memory is used anew.
TEST(ProcessesMoving, AnyMomentOfAChangeIsSurvived) {
  for (int moment = 0; moment < 40; ++moment) {
    Guest guest;
    for (int pid = 1; pid <= 8; ++pid) guest.add_process({.pid = pid, .comm = "task"});
    const kernel::Kernel kernel = locate_kernel(guest);
    const auto view = attach_processes(kernel, guest);
    Observer observer(kernel, guest.memory(), ReaderKind::gathering);
    guest.memory().before_each_request([&, left = moment](const auto&) mutable {
      if (left-- != 0) return;
      if (moment % 2 == 0)
        guest.processes().reuse(4, {.pid = 44, .comm = "new"});
      else
        guest.processes().unlink(4);
      guest.processes().unlink(6);
    });
    observer.collect(*view);
    EXPECT_GE(view->size(), 3U);
    EXPECT_LE(view->size(), 30U);
    guest.memory().before_each_request({});
    EXPECT_TRUE(observer.collect(*view).complete);
  }
}

// Bytes of the guest replaced at random: whatever comes of it, it comes to an end.
TEST(ProcessesHostile, RandomDamageNeitherCrashesNorHangs) {
  GuestOptions options;
  options.mapped = true;
  Guest guest(options);
  for (int pid = 1; pid <= 8; ++pid)
    guest.add_process({.pid = pid,
                       .comm = "task",
                       .threads = {{.pid = pid + 100}},
                       .rss_pages = {1, 2, 3, 4},
                       .arguments = {"prog", "argument"}});
  const kernel::Kernel kernel = locate_kernel(guest);
  const auto view = attach_processes(kernel, guest, {.threads = true});
  Observer windowed(kernel, guest.memory(), ReaderKind::windowed);
  Observer gathering(kernel, guest.memory(), ReaderKind::gathering);
  const std::array registers{guest.registers()};
  const std::vector<memory::Range> populated =
      guest.memory().populated({GuestPhysical(0), 64 * synthetic::megabyte});
  std::mt19937_64 random = synthetic::random_of_test();
  const auto somewhere = [&] {
    // Half of the damage strikes the tables and tasks, which are but a small part of memory.
    const memory::Range& range =
        random() % 2 == 0 ? populated[random() % populated.size()] : populated.back();
    return range.start + random() % (range.size / 8) * 8;
  };
  const std::array<std::uint64_t, 6> values{0,
                                            ~std::uint64_t{0},
                                            0x7f0000001000,
                                            0xdead000000000100,
                                            guest.kernel().page_offset() + 0x2000000,
                                            0x8000000000000000};
  for (int round = 0; round < 400; ++round) {
    std::vector<std::pair<GuestPhysical, std::uint64_t>> before;
    for (int i = 0; i < 24; ++i) {
      const GuestPhysical at = somewhere();
      before.emplace_back(at, guest.memory().get<std::uint64_t>(at));
      guest.memory().put(at, random() % 2 == 0 ? random() : values[random() % values.size()]);
    }
    windowed.collect(*view);
    rows_of(*view);
    gathering.collect(*view);
    if (round % 25 == 0) {
      const auto located = kernel::locate(guest.memory(), {.registers = registers, .hint = {}});
      if (located) {
        const auto other = Processes::attach(*located, guest.memory(), {});
        if (other) Observer(*located, guest.memory(), ReaderKind::gathering).collect(**other);
      }
    }
    for (auto undo = before.rbegin(); undo != before.rend(); ++undo)
      guest.memory().put(undo->first, undo->second);
  }
  EXPECT_TRUE(windowed.collect(*view).complete);
  EXPECT_EQ(view->size(), 16U);
  EXPECT_EQ(kernel.release, guest.kernel().options().release);
}

}  // namespace
}  // namespace vitrine::views
