#include "vitrine/views/wait_channel.h"

#include <gtest/gtest.h>

#include "tests/synthetic/attached.h"
#include "tests/synthetic/load_hook.h"
#include "tests/synthetic/stacks.h"

namespace vitrine::views {
namespace {

using synthetic::Guest;
using synthetic::UnwindRule;

// Functions of the kernel's code.
constexpr std::uint64_t kWaits = 0x200;
constexpr std::uint64_t kBegins = 0x240;

enum class By : std::uint8_t { windows, gathering };

struct Seen {
  bool told = false;
  std::string name;
};

class WaitChannelTest : public ::testing::TestWithParam<By> {
 protected:
  WaitChannelTest() {
    memory::FaultRecovery::install();
    guest_.add_process({.pid = 1, .comm = "init"});
    stacks_.set_rules({
        {.offset = 0, .kind = UnwindRule::Kind::undefined, .sp_register = 0},
        {.offset = kWaits, .sp_offset = 16},
        {.offset = kBegins, .kind = UnwindRule::Kind::end},
    });
    stacks_.add(task(), base::GuestVirtual(in(kWaits)), 0, {0xa, in(kBegins)});
  }
  static synthetic::GuestOptions options() {
    synthetic::GuestOptions options;
    options.mapped = true;
    return options;
  }
  std::uint64_t in(std::uint64_t function) {
    return (guest_.kernel().symbol("_text") + function + 0x20).value;
  }
  base::GuestVirtual task() { return guest_.processes().task(1); }
  void set(std::string_view member, std::uint64_t value) {
    guest_.processes().set_member(1, member, value);
  }
  void set_return_address(std::uint64_t value) {
    const base::GuestVirtual frame(guest_.kernel().value(task(), "task_struct", "thread.sp"));
    guest_.kernel().set(frame, "inactive_task_frame", "ret_addr", value);
  }
  void wake_up() {
    set("on_rq", 1);
    set("on_cpu", 1);
    set_return_address(0x1234);
  }
  void fall_asleep() {
    set("on_rq", 0);
    set("on_cpu", 0);
    set_return_address(in(kWaits));
  }

  Seen look() {
    auto channel = WaitChannel::attach(kernel_, guest_.memory());
    if (!channel) throw std::runtime_error(to_string(channel.error()));
    memory::Reader physical = reader();
    Reader reader(kernel_.space, physical);
    reader.begin();
    channel->begin(reader);
    Seen seen;
    seen.told = channel->of_task(reader, task(), seen.name);
    return seen;
  }
  // The same while the guest runs: `before` is called before each load, or request.
  Seen look(const std::function<void()>& before) {
    if (GetParam() == By::windows) {
      const synthetic::LoadHook hook(dynamic_cast<synthetic::MappedMemory&>(guest_.memory()),
                                     [&before](std::uint64_t) { before(); });
      return look();
    }
    guest_.memory().before_each_request([&before](const memory::ReadRequest&) { before(); });
    Seen seen = look();
    guest_.memory().before_each_request({});
    return seen;
  }

  Guest guest_{options()};
  synthetic::Stacks stacks_{guest_.kernel()};
  kernel::Kernel kernel_ = locate_kernel(guest_);

 private:
  memory::Reader reader() {
    if (GetParam() == By::gathering) return memory::Reader(guest_.memory());
    return memory::Reader(dynamic_cast<memory::Windows&>(guest_.memory()).windows());
  }
};
INSTANTIATE_TEST_SUITE_P(All, WaitChannelTest, ::testing::Values(By::windows, By::gathering));

TEST_P(WaitChannelTest, IsTheFunctionThatATaskSleepsIn) {
  const Seen seen = look();
  EXPECT_TRUE(seen.told);
  EXPECT_FALSE(seen.name.empty());
}

TEST_P(WaitChannelTest, OneThatRunsHasNone) {
  wake_up();
  const Seen seen = look();
  EXPECT_TRUE(seen.told);
  EXPECT_EQ(seen.name, "");
}

// It is on no queue any more, but its stack is not laid down yet.
TEST_P(WaitChannelTest, OneThatLeavesItsProcessorHasNone) {
  wake_up();
  set("on_rq", 0);
  const Seen seen = look();
  EXPECT_TRUE(seen.told);
  EXPECT_EQ(seen.name, "");
}

TEST_P(WaitChannelTest, ADamagedStackIsNotTakenForOneThatRuns) {
  set_return_address(0x1234);
  EXPECT_FALSE(look().told);
}

TEST_P(WaitChannelTest, WhateverTheMomentAtWhichItWakesUpThatIsTold) {
  std::uint64_t last = 0;
  ASSERT_TRUE(look([&last] { ++last; }).told);
  ASSERT_GT(last, 2U);
  int asleep = 0;
  for (std::uint64_t moment = 0; moment <= last; ++moment) {  // the last one never comes
    fall_asleep();
    std::uint64_t now = 0;
    const Seen seen = look([&] {
      if (now++ == moment) wake_up();
    });
    EXPECT_TRUE(seen.told) << "it woke up at " << moment << " of " << last;
    asleep += seen.name.empty() ? 0 : 1;
  }
  EXPECT_GT(asleep, 0);
  EXPECT_LT(static_cast<std::uint64_t>(asleep), last);
}

}  // namespace
}  // namespace vitrine::views
