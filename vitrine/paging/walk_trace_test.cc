#include "vitrine/paging/walk_trace.h"

#include <gtest/gtest.h>

#include "tests/synthetic/guest.h"

namespace vitrine::paging {
namespace {

using base::GuestPhysical;
using base::GuestVirtual;
using synthetic::megabyte;

class WalkTraceTest : public ::testing::TestWithParam<int> {
 protected:
  WalkTrace trace(GuestVirtual at) {
    return trace_walk(GetParam() == 5 ? x86_64_five_level : x86_64_four_level, tables_.root(), at,
                      memory_);
  }
  static std::string tables(const WalkTrace& trace) {
    std::string names;
    for (const WalkStep& step : trace.steps) names += std::string(step.table) + " ";
    return names;
  }

  synthetic::Memory memory_{std::vector<memory::Range>{{GuestPhysical(0), 16 * megabyte}}};
  synthetic::FrameAllocator frames_{memory_, {GuestPhysical(0), 8 * megabyte}};
  synthetic::PageTables tables_{memory_, frames_, GetParam()};
  const GuestVirtual at_{0x7f1234567000};
};

TEST_P(WalkTraceTest, ShowsEachEntryOnTheWay) {
  tables_.map(at_, GuestPhysical(0x5000));
  const WalkTrace small = trace(at_ + 0x123);
  EXPECT_EQ(small.fault, Fault::none);
  EXPECT_EQ(small.translation.address, GuestPhysical(0x5123));
  EXPECT_EQ(tables(small), GetParam() == 5 ? "PGD P4D PUD PMD PTE " : "PGD PUD PMD PTE ");
  EXPECT_EQ(small.steps.front().at.value / 4096, tables_.root().value / 4096);
  EXPECT_TRUE(small.steps.back().leaf);
  EXPECT_EQ(small.steps.back().entry & x86_64_four_level.address_mask, 0x5000U);
  tables_.map(GuestVirtual(0x40200000), GuestPhysical(4 * megabyte), 2);
  EXPECT_EQ(tables(trace(GuestVirtual(0x40200000))),
            GetParam() == 5 ? "PGD P4D PUD PMD " : "PGD PUD PMD ");
}

TEST_P(WalkTraceTest, EndsWhereTheWayEnds) {
  tables_.map(at_, GuestPhysical(0x5000));
  const WalkTrace beside = trace(at_ + 0x1000);
  EXPECT_EQ(beside.fault, Fault::not_mapped);
  EXPECT_EQ(beside.steps.back().entry, 0U);
  EXPECT_FALSE(beside.steps.back().leaf);
  EXPECT_TRUE(trace(GuestVirtual(0x0123'4567'0000'0000 << 1)).steps.empty());
}

INSTANTIATE_TEST_SUITE_P(Levels, WalkTraceTest, ::testing::Values(4, 5));

TEST(FlagsText, NamesWhatAnEntryAllows) {
  EXPECT_EQ(flags_text(x86_64_four_level, std::uint64_t{1} << 63 | 0x163),
            "present writable accessed dirty global no-execute");
  EXPECT_EQ(flags_text(x86_64_four_level, 0), "");
}

}  // namespace
}  // namespace vitrine::paging
