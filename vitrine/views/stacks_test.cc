#include "vitrine/views/stacks.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/synthetic/attached.h"
#include "tests/synthetic/modules.h"
#include "tests/synthetic/random_of_test.h"
#include "tests/synthetic/stacks.h"

namespace vitrine::views {
namespace {

using base::GuestVirtual;
using synthetic::Guest;
using synthetic::GuestOptions;
using synthetic::NamedRow;
using synthetic::Observer;
using synthetic::ReaderKind;
using synthetic::rows_of;
using synthetic::UnwindRule;
using synthetic::UnwindRules;

struct StackVariant {
  ReaderKind reader;
  UnwindRules rules;
};

constexpr std::uint8_t kBp = 4;
constexpr std::uint8_t kPreviousSp = 1;

// Functions of 0x40 bytes each, from this offset of the kernel's code on.
constexpr std::uint64_t kModuleCode = 0x200;
constexpr std::uint64_t function(std::uint64_t number) { return kModuleCode + number * 0x40; }

class StacksTest : public ::testing::TestWithParam<StackVariant> {
 protected:
  StacksTest() {
    guest_.add_process({.pid = 1, .comm = "init"});
    stacks_.set_rules({
        {.offset = 0, .kind = UnwindRule::Kind::undefined, .sp_register = 0},
        {.offset = function(0), .sp_offset = 24},
        // Saves the frame pointer, and sets its own.
        {.offset = function(1),
         .sp_offset = 16,
         .sp_register = kBp,
         .bp_offset = -16,
         .bp_register = kPreviousSp},
        {.offset = function(2), .sp_offset = 16},
        {.offset = function(3), .kind = UnwindRule::Kind::registers, .sp_offset = 8},
        {.offset = function(4), .kind = UnwindRule::Kind::end},
        {.offset = function(5), .kind = UnwindRule::Kind::interrupt, .sp_offset = 0},
        {.offset = function(6), .kind = UnwindRule::Kind::undefined, .sp_register = 0},
    });
  }
  static GuestOptions options() {
    GuestOptions options;
    options.mapped = true;
    options.kernel.unwind_rules = GetParam().rules;
    return options;
  }
  // An address that a call in function `number` returns to.
  std::uint64_t in(std::uint64_t number, std::uint64_t offset = 0x20) {
    return (guest_.kernel().symbol("_text") + function(number) + offset).value;
  }
  std::vector<NamedRow> rows(const StackOptions& options = {}) {
    auto view = Stacks::attach(kernel_, guest_.memory(), options);
    if (!view) throw std::runtime_error(to_string(view.error()));
    view_ = std::move(*view);
    outcome_ = observer_.collect(*view_);
    return rows_of(*view_);
  }
  std::vector<std::uint64_t> addresses() {
    std::vector<std::uint64_t> found;
    for (const NamedRow& row : rows()) found.push_back(row.number("address"));
    return found;
  }
  GuestVirtual sleep(const std::vector<std::uint64_t>& words, std::uint64_t from,
                     std::uint64_t frame_pointer = 0) {
    return stacks_.add(guest_.processes().task(1), GuestVirtual(from), frame_pointer, words);
  }

  Guest guest_{options()};
  synthetic::Stacks stacks_{guest_.kernel()};
  synthetic::Modules modules_{guest_.kernel()};
  kernel::Kernel kernel_ = locate_kernel(guest_);
  Observer observer_{kernel_, guest_.memory(), GetParam().reader};
  std::unique_ptr<View> view_;
  Outcome outcome_;
};
INSTANTIATE_TEST_SUITE_P(
    All, StacksTest,
    ::testing::Values(StackVariant{ReaderKind::windowed, UnwindRules::with_end_type},
                      StackVariant{ReaderKind::gathering, UnwindRules::with_end_bit},
                      StackVariant{ReaderKind::recording_windowed, UnwindRules::with_end_bit},
                      StackVariant{ReaderKind::recording_gathering, UnwindRules::with_end_type}));

// 0 keeps two words, 1 has a frame pointer, 2 keeps one; then it is the end.
TEST_P(StacksTest, FollowsCallsByTheirRules) {
  const std::uint64_t end = in(4);
  const GuestVirtual first = sleep({0xa, 0xb, in(1), 0xc, 0, 0, in(2), 0xd, end}, in(0));
  // The frame pointer of 1 points to where it saved the former one.
  const GuestVirtual frame = first + 4ULL * 8;
  guest_.kernel().put(frame, 0x1234ULL);
  guest_.kernel().put(frame + 8, in(2));
  sleep({0xa, 0xb, in(1), 0xc, 0, in(2), 0xd, end}, in(0));
  const GuestVirtual stack(
      guest_.kernel().value(guest_.processes().task(1), "task_struct", "thread.sp"));
  const std::uint64_t frame_size = guest_.kernel().types().size("struct inactive_task_frame");
  guest_.kernel().set(stack, "inactive_task_frame", "bp", (stack + frame_size + 4ULL * 8).value);
  EXPECT_EQ(addresses(), (std::vector<std::uint64_t>{in(0), in(1), in(2), end}));
  EXPECT_TRUE(outcome_.complete) << outcome_.warnings.front();
  const auto all = rows({.pid = 1});
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[1].number("frame"), 1U);
  EXPECT_EQ(all[1].text("comm"), "init");
  EXPECT_EQ(all[1].text("state"), "S");
  EXPECT_FALSE(all[1].is_null("function"));
}

// Registers that were saved on entry from user mode are the end; those of an interrupted kernel
// function are not.
TEST_P(StacksTest, GoesThroughSavedRegisters) {
  const synthetic::Types& types = guest_.kernel().types();
  const std::uint64_t words = types.size("struct pt_regs") / 8;
  const auto saved = [&](std::uint64_t ip, std::uint64_t cs, std::uint64_t sp) {
    std::vector<std::uint64_t> registers(words);
    registers[types.offset("pt_regs", "ip") / 8] = ip;
    registers[types.offset("pt_regs", "cs") / 8] = cs;
    registers[types.offset("pt_regs", "sp") / 8] = sp;
    return registers;
  };
  // 3 has one word of its own above which the registers are.
  std::vector<std::uint64_t> stack{0x5};
  const auto user = saved(0x401000, 0x33, 0x7ffc00001000);
  stack.insert(stack.end(), user.begin(), user.end());
  sleep(stack, in(3));
  EXPECT_EQ(addresses(), (std::vector<std::uint64_t>{in(3)}));
  EXPECT_TRUE(outcome_.complete);

  stack = {0x5};
  const auto kernel = saved(in(2, 0), 0x10, 0);
  stack.insert(stack.end(), kernel.begin(), kernel.end());
  stack.insert(stack.end(), {0xd, in(4)});
  const GuestVirtual first = sleep(stack, in(3));
  guest_.kernel().put(first + 8 + types.offset("pt_regs", "sp"), (first + (1 + words) * 8).value);
  EXPECT_EQ(addresses(), (std::vector<std::uint64_t>{in(3), in(2, 0), in(4)}));
  EXPECT_TRUE(outcome_.complete);
}

// Where a task begins that was just forked is no place that a call returns to.
TEST_P(StacksTest, ATaskThatHasNotRunYetBeginsWhereForkReturns) {
  const std::uint64_t begin = guest_.kernel().symbol("ret_from_fork").value;
  stacks_.set_rules(
      {{.offset = 0, .kind = UnwindRule::Kind::undefined, .sp_register = 0},
       {.offset = begin - guest_.kernel().symbol("_text").value, .kind = UnwindRule::Kind::end}});
  sleep({}, begin);
  const auto all = rows();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_TRUE(outcome_.complete);
  EXPECT_TRUE(all[0].text("function").starts_with("ret_from_fork+0x0/"));
}

// Made at run time, by tracing or BPF: no table says how it goes on from there.
TEST_P(StacksTest, CodeOutsideOfTheKernelAndItsModulesIsTheEnd) {
  sleep({0xa, 0xb, 0xffffffffc0001234}, in(0));
  EXPECT_EQ(addresses(), (std::vector<std::uint64_t>{in(0), 0xffffffffc0001234}));
  EXPECT_FALSE(outcome_.complete);
}

TEST_P(StacksTest, NamesFunctionsOfModules) {
  const GuestVirtual module = modules_.add(
      {.name = "driver", .functions = {{"later", 0x800}, {"wait_here", 0x100}, {"none", 0x1000}}});
  sleep({}, (modules_.text(module) + 0x140).value);
  const auto all = rows();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].text("function"), "wait_here+0x40/0x700");
  EXPECT_EQ(all[0].text("module"), "driver");
  EXPECT_FALSE(outcome_.complete) << "the module has no tables";
}

TEST_P(StacksTest, SaysWhatIsNoStack) {
  guest_.add_process({.pid = 2, .comm = "busy"});
  guest_.add_process({.pid = 3, .comm = "gone", .exit_state = synthetic::exit_zombie});
  guest_.processes().set_member(2, "on_cpu", 1);
  sleep({0xa, 0xb, in(4)}, in(0));
  const auto all = rows();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[2].number("pid"), 2U);
  EXPECT_TRUE(all[2].is_null("function"));
  EXPECT_NE(all[2].errors.at("function").find("runs"), std::string::npos);
  EXPECT_TRUE(rows({.pid = 3}).empty());
  EXPECT_TRUE(rows({.pid = 99}).empty());
  EXPECT_NE(outcome_.warnings.back().find("no task 99"), std::string::npos);
}

TEST_P(StacksTest, ATaskThatRunsIsToldByItsProcessorsRegisters) {
  const GuestVirtual first = sleep({0xa, 0xb, in(4)}, in(1));
  guest_.processes().set_member(1, "on_cpu", 1);
  RunningRegisters running{.processors = std::vector<memory::X86GeneralRegisters>(2)};
  memory::X86GeneralRegisters& registers = running.processors[0];
  registers.rip = in(0);
  registers.rsp = first.value;
  registers.cs = 0x10;
  registers.gs_base = guest_.kernel().percpu_offset(0);
  running.same_instant = true;
  StackOptions options;
  options.registers = [&running]() -> base::Result<RunningRegisters> { return running; };
  auto all = rows(options);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_TRUE(outcome_.complete && outcome_.warnings.empty());
  EXPECT_EQ(all[0].text("runs"), "kernel");
  EXPECT_EQ(all[0].number("address"), in(0));
  EXPECT_EQ(all[1].number("address"), in(4));

  registers.gs_base = 0;  // of no processor
  EXPECT_TRUE(rows(options)[0].is_null("runs"));

  running.same_instant = false;
  registers.cs = 0x33;
  registers.rip = 0x401000;
  all = rows(options);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].text("runs"), "user");
  EXPECT_EQ(all[0].number("address"), 0x401000U);
  EXPECT_TRUE(all[0].errors.empty());
  EXPECT_NE(outcome_.warnings.at(0).find("--pause=vmm"), std::string::npos);

  options.registers = []() -> base::Result<RunningRegisters> {
    return base::fail(base::Code::unsupported, "no monitor");
  };
  EXPECT_NE(rows(options)[0].errors.at("function").find("no monitor"), std::string::npos);
}

// Frames that lead back, or nowhere.
TEST_P(StacksTest, WhateverAStackHoldsItEnds) {
  std::mt19937_64 random = synthetic::random_of_test();
  for (int round = 0; round < 100; ++round) {
    std::vector<std::uint64_t> words(60);
    for (std::uint64_t& word : words)
      word = random() % 4 == 0 ? random() : in(random() % 7, random() % 0x40);
    const GuestVirtual first = sleep(words, in(random() % 7), random());
    for (int i = 0; i < 10; ++i)
      guest_.kernel().put(first + random() % 60 * 8, (first + random() % 60 * 8).value);
    EXPECT_LE(rows().size(), Unwinder::kMaxFrames);
    EXPECT_EQ(outcome_.complete, outcome_.warnings.empty());
  }
}

}  // namespace
}  // namespace vitrine::views
