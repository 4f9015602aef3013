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

TEST(Registers, FallBackToTheFirstProcessor) {
  FakeQmp server([](const nlohmann::json& request) {
    const bool all = request["arguments"]["command-line"] == "info registers -a";
    return nlohmann::json(all ? "unsupported flag -a\n" : kLong).dump();
  });
  auto qmp = Qmp::adopt(server.client());
  ASSERT_TRUE(qmp);
  const auto list = registers(*qmp);
  ASSERT_TRUE(list);
  EXPECT_EQ(list->size(), 1U);
}

TEST(RunState, IsQemusOwn) {
  FakeQmp server([](const nlohmann::json& request) {
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
  FakeQmp server([](const nlohmann::json&) { return R"({"running":"no"})"; });
  auto qmp = Qmp::adopt(server.client());
  ASSERT_TRUE(qmp);
  EXPECT_EQ(run_state(*qmp).error().code, base::Code::inconsistent);
  EXPECT_EQ(processor_count(*qmp).error().code, base::Code::inconsistent);
}

}  // namespace
}  // namespace vitrine::vmm
