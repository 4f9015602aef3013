#include "vitrine/memory/prstatus.h"

#include <gtest/gtest.h>
#include <sys/procfs.h>
#include <sys/reg.h>
#include <sys/user.h>

#include <cstring>

namespace vitrine::memory {
namespace {

constexpr X86GeneralRegisters kRegisters{.rax = 1,
                                         .rbx = 2,
                                         .rcx = 3,
                                         .rdx = 4,
                                         .rsi = 5,
                                         .rdi = 6,
                                         .rbp = 7,
                                         .rsp = 8,
                                         .r8 = 9,
                                         .r9 = 10,
                                         .r10 = 11,
                                         .r11 = 12,
                                         .r12 = 13,
                                         .r13 = 14,
                                         .r14 = 15,
                                         .r15 = 16,
                                         .rip = 17,
                                         .rflags = 18,
                                         .cs = 19,
                                         .ss = 20,
                                         .ds = 21,
                                         .es = 22,
                                         .fs = 23,
                                         .gs = 24,
                                         .fs_base = 25,
                                         .gs_base = 0xffff888000000000};

// The C library's own structure is the second opinion.
TEST(Prstatus, IsWhatTheHostsHeadersSay) {
  const std::vector<std::byte> content = make_prstatus(kRegisters, 3);
  elf_prstatus status{};
  ASSERT_EQ(content.size(), sizeof status);
  std::memcpy(&status, content.data(), sizeof status);
  EXPECT_EQ(status.pr_pid, 3);
  user_regs_struct user{};
  std::memcpy(&user, &status.pr_reg, sizeof user);
  EXPECT_EQ(user.rax, 1U);
  EXPECT_EQ(user.rsp, 8U);
  EXPECT_EQ(user.r15, 16U);
  EXPECT_EQ(user.rip, 17U);
  EXPECT_EQ(user.eflags, 18U);
  EXPECT_EQ(user.cs, 19U);
  EXPECT_EQ(user.ss, 20U);
  EXPECT_EQ(user.ds, 21U);
  EXPECT_EQ(user.es, 22U);
  EXPECT_EQ(user.fs, 23U);
  EXPECT_EQ(user.gs, 24U);
  EXPECT_EQ(user.fs_base, 25U);
  EXPECT_EQ(user.gs_base, 0xffff888000000000U);
  EXPECT_EQ(user.orig_rax, ~0ULL);
}

TEST(Prstatus, IsReadAsItWasWritten) {
  EXPECT_EQ(parse_prstatus(make_prstatus(kRegisters, 1)), kRegisters);
  std::vector<std::byte> cut = make_prstatus(kRegisters, 1);
  cut.pop_back();
  EXPECT_EQ(parse_prstatus(cut), std::nullopt);
}

}  // namespace
}  // namespace vitrine::memory
