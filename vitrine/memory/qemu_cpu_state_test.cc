#include "vitrine/memory/qemu_cpu_state.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace vitrine::memory {
namespace {

TEST(QemuCpuState, HasTheControlRegisters) {
  std::vector<std::byte> content(440);
  const auto put = [&content](std::size_t offset, auto value) {
    std::memcpy(&content[offset], &value, sizeof value);
  };
  put(0, std::uint32_t{1});
  put(136, std::uint64_t{0xffffffff81000000});
  put(384, std::uint64_t{0xfffffe0000000000});
  put(392, std::uint64_t{0x80050033});
  put(416, std::uint64_t{0x10a000});
  put(424, std::uint64_t{1 << 12});
  const auto registers = parse_qemu_cpu_state(content);
  ASSERT_TRUE(registers);
  EXPECT_EQ(registers->rip, 0xffffffff81000000);
  EXPECT_EQ(registers->idt_base, 0xfffffe0000000000);
  EXPECT_EQ(registers->cr3, 0x10a000U);
  EXPECT_TRUE(registers->paging());
  EXPECT_TRUE(registers->long_mode());
  EXPECT_TRUE(registers->five_level());
  EXPECT_FALSE(parse_qemu_cpu_state(std::span(content).first(431)));
  put(0, std::uint32_t{2});
  EXPECT_FALSE(parse_qemu_cpu_state(content));
}

}  // namespace
}  // namespace vitrine::memory
