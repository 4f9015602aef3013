#include "vitrine/kernel/code.h"

#include <gtest/gtest.h>

#include "tests/synthetic/kallsyms_sample.h"

namespace vitrine::kernel {
namespace {

using base::GuestVirtual;
using synthetic::KallsymsSample;
using synthetic::SampleMemory;

constexpr GuestVirtual caller = SampleMemory::start + 0x40;  // do_exit of the sample, 0x50 bytes

class CodeTest : public ::testing::Test {
 protected:
  void put_branch(std::uint8_t opcode, GuestVirtual at, GuestVirtual target) {
    const auto distance = static_cast<std::uint32_t>(target - (at + 5));
    memory_.put(at, std::as_bytes(std::span(&opcode, 1)));
    memory_.put(at + 1, std::as_bytes(std::span(&distance, 1)));
  }

  SampleMemory memory_{0x4000};
};

TEST_F(CodeTest, CallsAndTailCallsAreSeenForwardsAndBackwards) {
  const GuestVirtual ahead = caller + 0x1000;
  EXPECT_FALSE(*calls(memory_, Architecture::x86_64, caller, 0x50, ahead));
  put_branch(0xe8, caller + 3, ahead);
  EXPECT_TRUE(*calls(memory_, Architecture::x86_64, caller, 0x50, ahead));
  EXPECT_FALSE(*calls(memory_, Architecture::x86_64, caller, 0x50, ahead + 1));
  put_branch(0xe9, caller + 0x4b, SampleMemory::start);
  EXPECT_TRUE(*calls(memory_, Architecture::x86_64, caller, 0x50, SampleMemory::start));
}

TEST_F(CodeTest, BranchesOfArm64AreSeenForwardsAndBackwards) {
  const auto found = [this](GuestVirtual target) {
    return *calls(memory_, Architecture::arm64, caller, 0x50, target);
  };
  const auto put = [this](std::uint64_t offset, std::uint32_t instruction) {
    memory_.put(caller + offset, std::as_bytes(std::span(&instruction, 1)));
  };
  EXPECT_FALSE(found(caller + 0x1000));
  put(0, 0x94000400);  // bl .+0x1000
  EXPECT_TRUE(found(caller + 0x1000));
  EXPECT_FALSE(found(caller + 0x1004));
  put(0x4c, 0x17ffffed);  // b .-0x4c
  EXPECT_TRUE(found(caller));
  put(4, 0x54000040);  // b.eq .+8
  EXPECT_FALSE(found(caller + 0xc));
}

TEST_F(CodeTest, OnlyWhatLiesWithinTheFunctionCounts) {
  put_branch(0xe8, caller + 0x4c, SampleMemory::start);
  EXPECT_FALSE(*calls(memory_, Architecture::x86_64, caller, 0x50, SampleMemory::start));
  EXPECT_FALSE(*calls(memory_, Architecture::x86_64, caller, 0, SampleMemory::start));
}

TEST_F(CodeTest, LengthAndMemoryAreChecked) {
  EXPECT_EQ(
      calls(memory_, Architecture::x86_64, caller, max_function_bytes + 1, caller).error().code,
      base::Code::invalid);
  EXPECT_EQ(
      calls(memory_, Architecture::x86_64, SampleMemory::start + 0x4000, 16, caller).error().code,
      base::Code::absent);
}

TEST_F(CodeTest, FunctionsAreKnownByName) {
  const auto tables = std::make_shared<Tables>(
      std::move(*Symbols::decode(KallsymsSample{}.tables())), std::nullopt);
  const SymbolLookup symbols(tables, std::make_shared<Answers>(), SampleMemory::start);
  EXPECT_FALSE(*calls(memory_, Architecture::x86_64, symbols, "do_exit", "_stext"));
  put_branch(0xe8, caller, SampleMemory::start);
  EXPECT_TRUE(*calls(memory_, Architecture::x86_64, symbols, "do_exit", "_stext"));
  EXPECT_EQ(calls(memory_, Architecture::x86_64, symbols, "task_statm", "_stext").error().code,
            base::Code::absent);
  EXPECT_EQ(calls(memory_, Architecture::x86_64, symbols, "init_task", "_stext").error().code,
            base::Code::absent);
}

}  // namespace
}  // namespace vitrine::kernel
