#include "tests/synthetic/page_tables.h"

#include <gtest/gtest.h>

namespace vitrine::synthetic {
namespace {

class SyntheticPageTables : public ::testing::TestWithParam<int> {
 protected:
  std::optional<GuestPhysical> translate(std::uint64_t at) const {
    return naive_translate(memory_, tables_.root(), GetParam(), GuestVirtual(at));
  }

  Memory memory_{{{GuestPhysical(0), megabyte}}};
  FrameAllocator frames_{memory_, {GuestPhysical(0x10000), megabyte / 2}};
  PageTables tables_{memory_, frames_, GetParam()};
};

TEST_P(SyntheticPageTables, MapEverySizeOfPage) {
  tables_.map(GuestVirtual(0xffff888000000000), GuestPhysical(0x40000000), 3);
  tables_.map(GuestVirtual(0xffffffff81000000), GuestPhysical(0x1a00000), 2);
  tables_.map(GuestVirtual(0x401000), GuestPhysical(0x7000), 1, user_page | entry_no_execute);
  EXPECT_EQ(translate(0xffff888012345678), GuestPhysical(0x52345678));
  EXPECT_EQ(translate(0xffffffff811fffff), GuestPhysical(0x1bfffff));
  EXPECT_EQ(translate(0x401234), GuestPhysical(0x7234));
  EXPECT_EQ(translate(0x402000), std::nullopt);
}

TEST_P(SyntheticPageTables, ARangeTakesTheLargestPagesThatFit) {
  const GuestVirtual at(0xffff888000000000);
  tables_.map_range(at, GuestPhysical(0), gigabyte + 2 * megabyte + page_size, 3);
  EXPECT_NE(tables_.entry(at, 3) & entry_large, 0U);
  EXPECT_NE(tables_.entry(at + gigabyte, 2) & entry_large, 0U);
  EXPECT_EQ(translate((at + gigabyte + 2 * megabyte + 5).value),
            GuestPhysical(gigabyte + 2 * megabyte + 5));
  EXPECT_EQ(translate((at + gigabyte + 2 * megabyte + page_size).value), std::nullopt);
}

TEST_P(SyntheticPageTables, EntriesThatAreNotPresentTranslateToNothing) {
  tables_.swap_out(GuestVirtual(0x1000), 3, 0x1234);
  tables_.map_protection_none(GuestVirtual(0x2000), GuestPhysical(0x8000));
  EXPECT_EQ(translate(0x1000), std::nullopt);
  EXPECT_EQ(translate(0x2000), std::nullopt);
  // As the kernel would decode them (arch/x86/include/asm/pgtable_64.h, pgtable-invert.h).
  const std::uint64_t swapped = tables_.entry(GuestVirtual(0x1000), 1);
  EXPECT_EQ(swapped >> 59, 3U);
  EXPECT_EQ(~swapped << 5 >> 14, 0x1234U);
  EXPECT_EQ(swapped & (entry_present | entry_protection_none), 0U);
  const std::uint64_t none = tables_.entry(GuestVirtual(0x2000), 1);
  EXPECT_EQ(~none & entry_address_mask, 0x8000U);
  EXPECT_EQ(none & (entry_present | entry_protection_none), entry_protection_none);
}

TEST_P(SyntheticPageTables, AddressesThatAreNotCanonicalTranslateToNothing) {
  tables_.map(GuestVirtual(0x1000), GuestPhysical(0x7000));
  EXPECT_EQ(translate(0x8000000000001000), std::nullopt);
  EXPECT_EQ(translate(1ULL << (12 + 9 * GetParam()) | 0x1000), std::nullopt);
}

TEST_P(SyntheticPageTables, AProcessSharesTheKernelsHalfOnly) {
  tables_.map(GuestVirtual(0x1000), GuestPhysical(0x7000));
  tables_.map(GuestVirtual(0xffffffff81000000), GuestPhysical(0x1a00000), 2);
  PageTables process(memory_, frames_, GetParam());
  process.share_kernel_half(tables_);
  const auto in_process = [&](std::uint64_t at) {
    return naive_translate(memory_, process.root(), GetParam(), GuestVirtual(at));
  };
  EXPECT_EQ(in_process(0xffffffff81000000), GuestPhysical(0x1a00000));
  EXPECT_EQ(in_process(0x1000), std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(Levels, SyntheticPageTables, ::testing::Values(4, 5));

}  // namespace
}  // namespace vitrine::synthetic
