#include "vitrine/views/process_state.h"

#include <gtest/gtest.h>

#include "tests/synthetic/attached.h"
#include "tests/synthetic/files.h"
#include "tests/synthetic/regions.h"

namespace vitrine::views {
namespace {

using base::GuestVirtual;
using synthetic::Guest;
using synthetic::Kernel;

constexpr std::uint64_t kUserCode = 0x33;
constexpr std::uint64_t kUserStack = 0x2b;

class ProcessStateTest : public ::testing::Test {
 protected:
  ProcessStateTest() {
    guest_.add_process({.pid = 5,
                        .comm = "worker",
                        .threads = {{.pid = 6, .comm = "second"}},
                        .arguments = {"worker", "-x"}});
    guest_.add_process({.pid = 2, .comm = "kthread", .kernel_thread = true});
    files_.attach(5);
    const GuestVirtual root(kernel().value(files_.inode_of(files_.root_entry()), "inode", "i_sb"));
    const GuestVirtual file =
        files_.open(5, files_.root_mount(), files_.entry(root, files_.root_entry(), "worker"));
    regions_.give(5, {{.start = 0x1000, .end = 0x2000, .file = file},
                      {.start = 0x2000, .end = 0x3000, .file = file, .file_page = 1},
                      {.start = 0x5000, .end = 0x6000}});
  }
  static synthetic::GuestOptions options() {
    synthetic::GuestOptions options;
    options.kernel.shuffle_seed = 5;
    return options;
  }
  Kernel& kernel() { return guest_.kernel(); }

  // Where a task's registers of user mode are, `above` bytes below the end of its stack.
  GuestVirtual lay_down_registers(int pid, std::uint64_t ip, std::uint64_t above = 0) {
    const GuestVirtual stack = kernel().allocate(Kernel::stack_size);
    guest_.processes().set_member(pid, "stack", stack.value);
    const GuestVirtual at =
        stack + (Kernel::stack_size - above - kernel().types().size("struct pt_regs"));
    kernel().set(at, "pt_regs", "ip", ip);
    kernel().set(at, "pt_regs", "sp", ip + 1);
    kernel().set(at, "pt_regs", "r15", ip + 2);
    kernel().set(at, "pt_regs", "cs", kUserCode);
    kernel().set(at, "pt_regs", "ss", kUserStack);
    kernel().set(guest_.processes().task(pid), "task_struct", "thread.fsbase", ip + 3);
    return at;
  }
  base::Result<ProcessState> read(std::int64_t pid,
                                  std::span<const memory::X86GeneralRegisters> processors = {}) {
    if (!located_) located_.emplace(synthetic::locate_kernel(guest_));
    return read_process(*located_, guest_.memory(), pid, processors);
  }

  Guest guest_{options()};
  synthetic::Files files_{guest_.kernel(), guest_.processes()};
  synthetic::Regions regions_{guest_.kernel(), guest_.processes()};
  std::optional<kernel::Kernel> located_;
};

TEST_F(ProcessStateTest, HasRegionsFilesAndArguments) {
  lay_down_registers(5, 0x401000);
  lay_down_registers(6, 0x402000);
  const GuestVirtual auxiliary =
      kernel().member(*guest_.processes().of(5).mm, "mm_struct", "saved_auxv");
  kernel().put(auxiliary, std::uint64_t{33});
  const auto state = read(5);
  ASSERT_TRUE(state) << to_string(state.error());
  EXPECT_TRUE(state->warnings.empty());
  EXPECT_EQ(state->regions.size(), 3U);
  ASSERT_EQ(state->files.size(), 2U);
  EXPECT_EQ(state->files[1].path, "/worker");
  EXPECT_EQ(state->files[1].region, 1U);
  EXPECT_EQ(state->arguments, "worker -x");
  EXPECT_EQ(state->auxiliary_vector.size(), 32U) << "a pair, and the one that ends them";
  EXPECT_EQ(state->tables, guest_.processes().of(5).tables->root());
}

TEST_F(ProcessStateTest, HasTheRegistersOfSleepingThreads) {
  lay_down_registers(5, 0x401000);
  lay_down_registers(6, 0x402000, 16);
  const auto state = read(5);
  ASSERT_TRUE(state) << to_string(state.error());
  ASSERT_EQ(state->threads.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    const memory::X86GeneralRegisters& registers = state->threads[i].registers;
    EXPECT_EQ(state->threads[i].unknown, "");
    EXPECT_EQ(registers.rip, 0x401000 + i * 0x1000);
    EXPECT_EQ(registers.rsp, registers.rip + 1);
    EXPECT_EQ(registers.r15, registers.rip + 2);
    EXPECT_EQ(registers.fs_base, registers.rip + 3);
    EXPECT_EQ(registers.cs, kUserCode);
  }
}

TEST_F(ProcessStateTest, TakesThoseOfARunningThreadFromItsProcessor) {
  lay_down_registers(5, 0x401000);
  lay_down_registers(6, 0x402000);
  guest_.processes().set_member(6, "on_cpu", 1);
  guest_.processes().set_member(6, "thread_info.cpu", 1);
  std::vector<memory::X86GeneralRegisters> processors(2);
  processors[1].cs = kUserCode;
  processors[1].rip = 0x777000;
  auto state = read(5, processors);
  ASSERT_TRUE(state);
  EXPECT_EQ(state->threads[1].registers.rip, 0x777000U);
  // In the kernel, it has left them on its stack.
  processors[1].cs = 0x10;
  state = read(5, processors);
  EXPECT_EQ(state->threads[1].registers.rip, 0x402000U);
  EXPECT_EQ(state->threads[1].unknown, "");
  state = read(5);
  EXPECT_NE(state->threads[1].unknown.find("it runs"), std::string::npos);
}

TEST_F(ProcessStateTest, WhatIsNoUsersStateIsTold) {
  const GuestVirtual at = lay_down_registers(5, 0x401000);
  kernel().set(at, "pt_regs", "cs", 0x10);
  guest_.processes().set_member(6, "stack", 0x1000);
  const auto state = read(5);
  ASSERT_TRUE(state);
  EXPECT_NE(state->threads[0].unknown.find("user mode"), std::string::npos);
  EXPECT_NE(state->threads[1].unknown.find("can't be read"), std::string::npos);
}

TEST_F(ProcessStateTest, OfWhatHasNoMemoryThereIsNone) {
  EXPECT_EQ(read(2).error().code, base::Code::absent);
  EXPECT_EQ(read(99).error().code, base::Code::absent);
  EXPECT_EQ(read(6).error().code, base::Code::invalid) << "a thread is no process";
}

}  // namespace
}  // namespace vitrine::views
