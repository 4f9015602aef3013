#include "vitrine/vmm/registers.h"

#include <gtest/gtest.h>

#include "vitrine/vmm/testing/fake_qmp.h"

namespace vitrine::vmm {
namespace {

using testing::FakeQmp;

constexpr const char* kLong =
    "\nCPU#0\nRAX=0000000000000000 RBX=0000000000000000\n"
    "RIP=ffffffff916406cf RFL=00000282 [--S----] CPL=0 II=0 A20=1 SMM=0 HLT=1\n"
    "LDT=0000 0000000000000000 00000000 00008200 DPL=0 LDT\n"
    "GDT=     fffffe5986a5f000 0000007f\nIDT=     fffffe0000000000 00000fff\n"
    "CR0=80050033 CR2=00000000004f0215 CR3=00000000026ae000 CR4=000006f0\n"
    "DR6=00000000ffff0ff0 DR7=0000000000000400\nEFER=0000000000000d01\nFCW=037f\n";

constexpr const char* kReal =
    "\nCPU#1\nEAX=00000000\nEIP=0000fff0 EFL=00000002 [-------] CPL=0\n"
    "IDT=     00000000 0000ffff\nCR0=60000010 CR2=00000000 CR3=00000000 CR4=00000000\n"
    "EFER=0000000000000000\n";

TEST(ParseRegisters, OfEveryProcessor) {
  const auto list = parse_registers(std::string(kLong) + kReal);
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].cr0, 0x80050033U);
  EXPECT_EQ(list[0].cr3, 0x26ae000U);
  EXPECT_EQ(list[0].cr4, 0x6f0U);
  EXPECT_EQ(list[0].efer, 0xd01U);
  EXPECT_EQ(list[0].idt_base, 0xfffffe0000000000U);
  EXPECT_EQ(list[0].rip, 0xffffffff916406cfU);
  EXPECT_TRUE(list[0].paging() && list[0].long_mode());
  EXPECT_EQ(list[1].rip, 0xfff0U);
  EXPECT_FALSE(list[1].paging());
}

TEST(ParseRegisters, OfNoX86ProcessorAreNone) {
  EXPECT_TRUE(parse_registers("").empty());
  EXPECT_TRUE(parse_registers("\nCPU#0\n PC=ffff000010080000 X00=0\n").empty());
  EXPECT_TRUE(parse_registers("CPU#0\nCR0=zz CR3=1 CR4=1\n").empty());
}

TEST(ParseGeneralRegisters, OfEveryProcessorInLongMode) {
  const std::string text =
      std::string(
          "\nCPU#0\n"
          "RAX=0000000000000001 RBX=0000000000000002 RCX=0000000000000003 RDX=0000000000000004\n"
          "RSI=0000000000000005 RDI=0000000000000006 RBP=0000000000000007 RSP=ffffa00000000008\n"
          "R8 =0000000000000009 R9 =000000000000000a R10=000000000000000b R11=000000000000000c\n"
          "R12=000000000000000d R13=000000000000000e R14=000000000000000f R15=0000000000000010\n"
          "RIP=ffffffff916406cf RFL=00000282 [--S----] CPL=0 II=0 A20=1 SMM=0 HLT=1\n"
          "ES =0001 0000000000000000 ffffffff 00c00000\n"
          "CS =0010 0000000000000000 ffffffff 00af9b00 DPL=0 CS64 [-RA]\n"
          "SS =0018 0000000000000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\n"
          "DS =0002 0000000000000000 ffffffff 00c00000\n"
          "FS =0003 00007f0011223344 ffffffff 00c00000\n"
          "GS =0004 ffff88801f600000 ffffffff 00c00000\n"
          "CR0=80050033 CR2=00000000004f0215 CR3=00000000026ae000 CR4=000006f0\n") +
      kReal;
  const auto list = parse_general_registers(text);
  ASSERT_EQ(list.size(), 1U) << "a processor in real mode has no such registers";
  const memory::X86GeneralRegisters expected{.rax = 1,
                                             .rbx = 2,
                                             .rcx = 3,
                                             .rdx = 4,
                                             .rsi = 5,
                                             .rdi = 6,
                                             .rbp = 7,
                                             .rsp = 0xffffa00000000008,
                                             .r8 = 9,
                                             .r9 = 10,
                                             .r10 = 11,
                                             .r11 = 12,
                                             .r12 = 13,
                                             .r13 = 14,
                                             .r14 = 15,
                                             .r15 = 16,
                                             .rip = 0xffffffff916406cf,
                                             .rflags = 0x282,
                                             .cs = 0x10,
                                             .ss = 0x18,
                                             .ds = 2,
                                             .es = 1,
                                             .fs = 3,
                                             .gs = 4,
                                             .fs_base = 0x7f0011223344,
                                             .gs_base = 0xffff88801f600000};
  EXPECT_EQ(list[0], expected);
}

TEST(ParseGeneralRegisters, OfTextThatEndsEarlyDoNotFail) {
  for (const char* text : {"RAX=1\nFS", "RAX=1\nFS =", "RAX=1\nGS =0003", "RAX=1\nGS =0003 "})
    EXPECT_EQ(parse_general_registers(text).size(), 1U);
}

TEST(Registers, FallBackToTheFirstProcessor) {
  FakeQmp server([](const base::Json& request) {
    const bool all = request["arguments"]["command-line"] == "info registers -a";
    return base::Json(all ? "unsupported flag -a\n" : kLong).dump();
  });
  auto qmp = Qmp::adopt(server.client());
  ASSERT_TRUE(qmp);
  const auto list = registers(*qmp);
  ASSERT_TRUE(list);
  EXPECT_EQ(list->size(), 1U);
}

TEST(RunState, IsQemusOwn) {
  FakeQmp server([](const base::Json& request) {
    return request["execute"] == "query-status" ? R"({"running":false,"status":"paused"})"
                                                : R"([{"cpu-index":0},{"cpu-index":1}])";
  });
  auto qmp = Qmp::adopt(server.client());
  ASSERT_TRUE(qmp);
  const auto state = run_state(*qmp);
  ASSERT_TRUE(state);
  EXPECT_FALSE(state->running);
  EXPECT_EQ(state->status, "paused");
  EXPECT_EQ(*processor_count(*qmp), 2U);
}

TEST(RunState, OfAMalformedAnswerIsInconsistent) {
  FakeQmp server([](const base::Json&) { return R"({"running":"no"})"; });
  auto qmp = Qmp::adopt(server.client());
  ASSERT_TRUE(qmp);
  EXPECT_EQ(run_state(*qmp).error().code, base::Code::inconsistent);
  EXPECT_EQ(processor_count(*qmp).error().code, base::Code::inconsistent);
}

}  // namespace
}  // namespace vitrine::vmm
