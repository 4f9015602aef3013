#include "vitrine/paging/range_walk.h"

#include <gtest/gtest.h>

#include "tests/synthetic/guest.h"
#include "vitrine/memory/gather_reader.h"

namespace vitrine::paging {
namespace {

using base::GuestPhysical;
using base::GuestVirtual;
using synthetic::gigabyte;
using synthetic::megabyte;

class RangeWalk : public ::testing::TestWithParam<int> {
 protected:
  // "ADDRESS+SIZE>PHYSICAL" of each page, or its fault, in the order of the visits.
  std::vector<std::string> pages(std::uint64_t start, std::uint64_t end) {
    memory::GatherReader reader(memory_);
    std::vector<std::string> found;
    const Format& format = GetParam() == 5 ? x86_64_five_level : x86_64_four_level;
    whole_ = walk_range(
        format, tables_.root(), GuestVirtual(start), GuestVirtual(end), reader, limit_,
        [&](const PageEntry& entry) {
          found.push_back(base::to_string(entry.address) + "+" + base::to_hex(entry.size) + ">" +
                          (entry.fault == Fault::none ? base::to_string(entry.physical)
                                                      : std::string(name(entry.fault))));
          return true;
        });
    return found;
  }

  synthetic::Memory memory_{std::vector<memory::Range>{{GuestPhysical(0), 16 * megabyte}}};
  synthetic::FrameAllocator frames_{memory_, {GuestPhysical(0), 8 * megabyte}};
  synthetic::PageTables tables_{memory_, frames_, GetParam()};
  std::uint64_t limit_ = 1000;
  bool whole_ = false;
};
INSTANTIATE_TEST_SUITE_P(Levels, RangeWalk, ::testing::Values(4, 5));

TEST_P(RangeWalk, FindsPagesOfEverySizeInOrder) {
  tables_.map(GuestVirtual(0x40000000), GuestPhysical(3 * gigabyte), 3);
  tables_.map(GuestVirtual(0x7f0000200000), GuestPhysical(4 * megabyte), 2);
  tables_.map(GuestVirtual(0x7f0000400000), GuestPhysical(0x5000));
  tables_.swap_out(GuestVirtual(0x7f0000401000), 1, 2);
  tables_.map_protection_none(GuestVirtual(0x7f0000402000), GuestPhysical(0x6000));
  tables_.map(GuestVirtual(0x7f00005ff000), GuestPhysical(0x7000));
  EXPECT_EQ(
      pages(0x1000, 0x7fffffff0000),
      (std::vector<std::string>{"0x40000000+0x40000000>0xc0000000",
                                "0x7f0000200000+0x200000>0x400000", "0x7f0000400000+0x1000>0x5000",
                                "0x7f0000401000+0x1000>" + std::string(name(Fault::swapped_out)),
                                "0x7f0000402000+0x1000>0x6000", "0x7f00005ff000+0x1000>0x7000"}));
  EXPECT_TRUE(whole_);
  EXPECT_EQ(pages(0x7f0000401000, 0x7f0000403000).size(), 2U);
  EXPECT_EQ(pages(0x7f0000300000, 0x7f0000301000),
            (std::vector<std::string>{"0x7f0000200000+0x200000>0x400000"}))
      << "a page begins before the range";
  EXPECT_TRUE(pages(0x7f0000403000, 0x7f00005ff000).empty());
}

TEST_P(RangeWalk, TellsWhatCannotBeRead) {
  tables_.set_entry(GuestVirtual(0x7f0000200000), 2, (1ULL << 40) | synthetic::user_page);
  tables_.map(GuestVirtual(0x7f0000400000), GuestPhysical(0x5000));
  const auto found = pages(0x7f0000000000, 0x7f0000800000);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_NE(found[0].find(name(Fault::outside_ram)), std::string::npos);
  EXPECT_EQ(found[1], "0x7f0000400000+0x1000>0x5000");
}

// Tables that stand for themselves map every address there is.
TEST_P(RangeWalk, EndsWhereTablesRunInCircles) {
  for (std::uint64_t i = 0; i < 256; ++i)
    memory_.put(tables_.root() + i * 8, tables_.root().value | synthetic::user_page);
  pages(0x1000, 0x7ffffffff000);
  EXPECT_FALSE(whole_);
  EXPECT_EQ(limit_, 0U);
}

}  // namespace
}  // namespace vitrine::paging
