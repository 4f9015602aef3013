#include "vitrine/vmm/memory_tree.h"

#include <gtest/gtest.h>

namespace vitrine::vmm {
namespace {

constexpr const char* kFlat =
    "FlatView #0\n AS \"cpu-smm-0\", root: memory\n Root memory region: memory\n"
    "  0000000000000000-000000003fffffff (prio 0, ram): wrong\n\n"
    "FlatView #1\n AS \"cpu-memory-0\", root: system\n AS \"memory\", root: system\n"
    " Root memory region: system\n"
    "  0000000000000000-000000000009ffff (prio 0, ram): pc.ram KVM\n"
    "  00000000000a0000-00000000000bffff (prio 1, i/o): vga-lowmem\n"
    "  00000000000c0000-00000000000dffff (prio 0, rom): pc.ram @00000000000c0000 KVM\n"
    "  00000000000e0000-000000003fffffff (prio 0, ram): pc.ram @00000000000e0000 KVM\n"
    "  00000000fe000000-00000000fe000fff (prio 0, ramd): 0000:00:05.0 BAR 0 mmaps[0]\n"
    "  0000000100000000-000000013fffffff (prio 0, nv-ram): pmem\n\n";

TEST(FlatView, IsThatOfTheSystemWithNeighboursMerged) {
  const auto flat = parse_flat_view(kFlat);
  ASSERT_TRUE(flat);
  ASSERT_EQ(flat->size(), 2U);
  EXPECT_EQ((*flat)[0], (FlatRange{{base::GuestPhysical(0), 0xa0000}, "pc.ram", 0}));
  EXPECT_EQ((*flat)[1], (FlatRange{{base::GuestPhysical(0xc0000), 0x3ff40000}, "pc.ram", 0xc0000}));
}

TEST(FlatView, MayNotOverlap) {
  EXPECT_EQ(parse_flat_view(" AS \"memory\", root: system\n"
                            "  0000-1fff (prio 0, ram): a\n  1000-2fff (prio 0, ram): b\n")
                .error()
                .code,
            base::Code::inconsistent);
}

TEST(FlatView, WithoutRamIsUnsupported) {
  for (const char* text : {"", "unknown command\n", " AS \"memory\", root: system\n  x\n",
                           "  0000-0fff (prio 0, ram): not in a view\n"}) {
    EXPECT_EQ(parse_flat_view(text).error().code, base::Code::unsupported) << text;
  }
}

TEST(SystemRam, TakesNeitherDevicesNorFirmwareNorDisabledAliases) {
  const auto ram = parse_system_ram(
      "address-space: cpu-memory-0\naddress-space: memory\n"
      "  0000000000000000-ffffffffffffffff (prio 0, i/o): system\n"
      "    0000000000000000-00000000bfffffff (prio 0, ram): alias ram-below-4g @pc.ram 0-bfffffff\n"
      "    0000000000000000-ffffffffffffffff (prio -1, i/o): pci\n"
      "      00000000fd000000-00000000fdffffff (prio 1, ram): vga.vram\n"
      "    00000000000f0000-00000000000fffff (prio 1, ram): alias isa-bios @pc.bios 0-ffff\n"
      "    00000000000c0000-00000000000c3fff (prio 1, ram): alias pam-ram @pc.ram c0000-c3fff "
      "[disabled]\n"
      "    0000000100000000-000000013fffffff (prio 0, i/o): alias ram-above-4g @two c0-ff\n"
      "    0000000140000000-00000001ffffffff (prio 0, i/o): device-memory\n"
      "      0000000140000000-000000017fffffff (prio 0, ram): dimm\n\n"
      "memory-region: other\n"
      "  0000000000000000-ffffffffffffffff (prio 0, i/o): other\n"
      "    0000000200000000-00000002bfffffff (prio 0, ram): alias ram-below-4g @x 0-bfffffff\n");
  ASSERT_TRUE(ram);
  EXPECT_EQ(ram->ranges,
            (std::vector<memory::Range>{{base::GuestPhysical(0), 0xc0000000},
                                        {base::GuestPhysical(1ULL << 32), 0x40000000}}));
  EXPECT_EQ(ram->blocks, (std::vector<std::string>{"pc.ram", "two"}));
}

TEST(SystemRam, OfOtherMachinesIsWhatIsDirectlyInTheRoot) {
  const auto ram = parse_system_ram(
      "address-space: memory\n  0000000000000000-ffffffffffffffff (prio 0, i/o): system\n"
      "    0000000040000000-000000007fffffff (prio 0, ram): mach-virt.ram\n");
  ASSERT_TRUE(ram);
  EXPECT_EQ(ram->blocks, (std::vector<std::string>{"mach-virt.ram"}));
}

TEST(SystemRam, EndsBeforeTheAddressSpaceDoes) {
  const auto ram = parse_system_ram(
      "address-space: memory\n  0000000000000000-ffffffffffffffff (prio 0, i/o): system\n"
      "    0000000000001000-ffffffffffffffff (prio 0, ram): forged\n"
      "    0000000000002000-0000000000002fff (prio 0, ram): true\n");
  ASSERT_TRUE(ram);
  EXPECT_EQ(ram->ranges, (std::vector<memory::Range>{{base::GuestPhysical(0x2000), 0x1000}}));
}

TEST(FlatView, EndsBeforeTheAddressSpaceDoes) {
  const std::string head = "FlatView #0\n AS \"memory\", root: system\n";
  const auto view = parse_flat_view(head +
                                    "  0000000000001000-ffffffffffffffff (prio 0, ram): forged\n"
                                    "  0000000000002000-0000000000002fff (prio 0, ram): true\n");
  ASSERT_TRUE(view);
  EXPECT_EQ(*view, (std::vector<FlatRange>{{{base::GuestPhysical(0x2000), 0x1000}, "true", 0}}));
}

TEST(FlatView, BeyondTheEndOfABlockIsInconsistent) {
  const auto view = parse_flat_view(
      "FlatView #0\n AS \"memory\", root: system\n"
      "  0000000000002000-0000000000002fff (prio 0, ram): ram @fffffffffffff000\n");
  ASSERT_FALSE(view);
  EXPECT_EQ(view.error().code, base::Code::inconsistent);
}

TEST(SystemRam, WithoutAnyIsUnsupported) {
  EXPECT_EQ(parse_system_ram("unknown command\n").error().code, base::Code::unsupported);
}

}  // namespace
}  // namespace vitrine::vmm
