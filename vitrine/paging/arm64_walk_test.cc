// The formats of arm64, by tables that a test lays out entry by entry from the architecture's
// description (DDI 0487, D8.3).
#include <gtest/gtest.h>

#include "tests/synthetic/memory.h"
#include "vitrine/paging/walk.h"
#include "vitrine/paging/walked_memory.h"

namespace vitrine::paging {
namespace {

using base::GuestPhysical;
using base::GuestVirtual;
using synthetic::megabyte;

constexpr std::uint64_t kTable = 3;
constexpr std::uint64_t kBlock = 1;
constexpr std::uint64_t kPage = 3;

class Arm64Walk : public ::testing::Test {
 protected:
  void put(std::uint64_t table, std::uint64_t index, std::uint64_t entry) {
    memory_.put(GuestPhysical(table + index * 8), entry);
  }
  Fault translate(std::uint64_t at, Translation& to) {
    memory::GatherReader reader(memory_);
    return walk(*format_, GuestPhysical(0x10000), GuestVirtual(at), reader, to);
  }
  // Where `at` leads; all ones where it does not.
  std::uint64_t physical(std::uint64_t at) {
    Translation found;
    return translate(at, found) == Fault::none ? found.address.value : ~std::uint64_t{0};
  }

  synthetic::Memory memory_{std::vector<memory::Range>{{GuestPhysical(0), megabyte}}};
  const Format* format_ = arm64_format(4096, 48);
};

TEST_F(Arm64Walk, FollowsTablesBlocksAndPages) {
  put(0x10000, 1, 0x20000 | kTable);
  put(0x20000, 2, 0x8000'0000 | kBlock | 0x0060'0000'0000'0f00);
  put(0x20000, 3, 0x30000 | kTable);
  put(0x30000, 4, 0x4020'0000 | kBlock);
  put(0x30000, 5, 0x40000 | kTable | 0x1800'0000'0000'0000);
  put(0x40000, 6, 0x1234'5678'9000 | kPage | 0x0068'0000'0000'0f00);
  const std::uint64_t top = 0xffff'0080'0000'0000;
  Translation found;
  ASSERT_EQ(translate(top + 0x8000'0123, found), Fault::none);
  EXPECT_EQ(found.address, GuestPhysical(0x8000'0123));
  EXPECT_EQ(found.page_size, 1U << 30);
  EXPECT_EQ(physical(top + 0xc080'1234), 0x4020'1234U);
  EXPECT_EQ(physical(top + 0xc0a0'6abc), 0x1234'5678'9abcU);
  EXPECT_EQ(translate(top + 0xc0a0'7000, found), Fault::not_mapped);
}

TEST_F(Arm64Walk, TheLowerHalfIsAnotherRootsAffair) {
  put(0x10000, 0, 0x20000 | kTable);
  put(0x20000, 0, 0x4000'0000 | kBlock);
  EXPECT_EQ(physical(0x5678), 0x4000'5678U) << "of a process";
  EXPECT_EQ(physical(0xffff'0000'0000'5678), 0x4000'5678U);
  Translation found;
  EXPECT_EQ(translate(0xfffe'0000'0000'5678, found), Fault::not_canonical);
  WalkedMemory kernel(*format_, GuestPhysical(0x10000), memory_);
  EXPECT_TRUE(kernel.translate(GuestVirtual(0xffff'0000'0000'5678)));
  EXPECT_FALSE(kernel.translate(GuestVirtual(0x5678)));
}

TEST_F(Arm64Walk, PagesThatProcessesMayNotTouchAreStillThere) {
  put(0x10000, 0, 0x20000 | kTable);
  put(0x20000, 0, 0x30000 | kTable);
  put(0x30000, 0, 0x40000 | kTable);
  put(0x40000, 0, 0x5000 | std::uint64_t{1} << 58);  // PTE_PROT_NONE
  put(0x40000, 1, 0x5000);                           // a place in swap
  EXPECT_EQ(physical(0x678), 0x5678U);
  Translation found;
  EXPECT_EQ(translate(0x1000, found), Fault::swapped_out);
}

TEST_F(Arm64Walk, LargePagesAndAddressesHaveTheirHighestBitsElsewhere) {
  format_ = arm64_format(65536, 52);
  put(0x10000, 0x3ff, 0x20000 | kTable);
  put(0x20000, 0, 0x30000 | kTable);
  put(0x30000, 1, 0x4000'0000 | 0xa000 | kPage);  // bits 51:48 in 15:12
  EXPECT_EQ(physical(0xffff'fc00'0001'2345), 0x000a'0000'4000'2345U);
  format_ = arm64_format(4096, 52);
  put(0x10000, 0xf, 0x40000 | kTable);
  put(0x40000, 0, 0x4000'0000 | 0x200 | kBlock);  // bits 51:50 in 9:8; a block of 512 GiB
  EXPECT_EQ(physical(0xffff'0000'0000'1234) >> 39, 0x0008'0000'0000'0000U >> 39);
}

TEST_F(Arm64Walk, EveryFormatCoversItsAddresses) {
  for (const unsigned page : {12U, 14U, 16U})
    for (const unsigned bits : {36U, 39U, 42U, 47U, 48U, 52U}) {
      const Format* format = arm64_format(std::uint64_t{1} << page, bits);
      if (format == nullptr) continue;
      EXPECT_EQ(format->levels.back().shift, page) << format->name;
      EXPECT_EQ(format->levels.front().shift + format->levels.front().index_bits, bits);
      EXPECT_TRUE(format->canonical(GuestVirtual(~std::uint64_t{0} << bits)));
      EXPECT_FALSE(format->canonical(GuestVirtual(std::uint64_t{1} << bits)));
    }
  EXPECT_EQ(arm64_format(4096, 40), nullptr);
  EXPECT_EQ(arm64_format(0, 48), nullptr);
}

}  // namespace
}  // namespace vitrine::paging
