#include "vitrine/paging/address_space.h"

#include <gtest/gtest.h>

#include "tests/synthetic/page_tables.h"

namespace vitrine::paging {
namespace {

using base::GuestPhysical;
using base::GuestVirtual;
using synthetic::gigabyte;
using synthetic::megabyte;

// 8 MB below a hole and 8 MB above 4 GB, mapped from `start` on with 4 KB pages.
class Verify : public ::testing::Test {
 protected:
  Verify() {
    for (const memory::Range& range : memory_.ram())
      tables_.map_range(start_ + range.start.value, range.start, range.size, 1);
    space_.format = &x86_64_four_level;
    space_.root = tables_.root();
  }
  bool verified() { return verify(space_, claim_, memory_.ram(), memory_); }

  static constexpr std::uint64_t high = 4 * gigabyte;
  const GuestVirtual start_{0xffff888000000000};
  synthetic::Memory memory_{std::vector<memory::Range>{{GuestPhysical(0), 8 * megabyte},
                                                       {GuestPhysical(high), 8 * megabyte}}};
  synthetic::FrameAllocator frames_{memory_, {GuestPhysical(0), 8 * megabyte}};
  synthetic::PageTables tables_{memory_, frames_, 4};
  AddressSpace space_;
  LinearMap claim_{start_, high + 8 * megabyte, GuestPhysical(0)};
};

TEST_F(Verify, BelievesWhatThePageTablesSay) { EXPECT_TRUE(verified()); }

TEST_F(Verify, RefusesAnOffsetThatIsOffByAPage) {
  claim_.physical = GuestPhysical(4096);
  EXPECT_FALSE(verified());
}

TEST_F(Verify, RefusesOneWrongPageOnEitherSideOfTheHole) {
  tables_.map(start_ + 5 * megabyte, GuestPhysical(0));
  EXPECT_FALSE(verified());
  tables_.map(start_ + 5 * megabyte, GuestPhysical(5 * megabyte));
  EXPECT_TRUE(verified());
  tables_.map(start_ + (high + 8 * megabyte - 4096), GuestPhysical(0));
  EXPECT_FALSE(verified());
}

TEST_F(Verify, DoesNotLookWhereThereIsNoRam) {
  tables_.map(start_ + gigabyte, GuestPhysical(0));
  EXPECT_TRUE(verified());
}

TEST_F(Verify, AllowsForPagesThatTheGuestTookOut) {
  for (std::uint64_t at = 0; at < 4 * megabyte; at += 8192) tables_.set_entry(start_ + at, 1, 0);
  tables_.set_entry(start_ + high, 2, 0);
  EXPECT_TRUE(verified());
}

TEST_F(Verify, RefusesAMapOfWhichNothingIsThere) {
  claim_.start = GuestVirtual(0xffffa00000000000);
  EXPECT_FALSE(verified());
}

TEST_F(Verify, RefusesTablesThatCannotBeRead) {
  tables_.set_entry(start_, 3, 64 * gigabyte | synthetic::entry_present);
  EXPECT_FALSE(verified());
}

TEST_F(Verify, RefusesSwappedOutPages) {
  tables_.swap_out(start_ + megabyte, 1, 77);
  EXPECT_FALSE(verified());
}

TEST_F(Verify, AcceptsLargePages) {
  synthetic::PageTables large(memory_, frames_, 4);
  large.map(start_, GuestPhysical(0), 3);
  large.map_range(start_ + high, GuestPhysical(high), 8 * megabyte, 2);
  space_.root = large.root();
  EXPECT_TRUE(verified());
  large.map(start_ + high + 2 * megabyte, GuestPhysical(0), 2);
  EXPECT_FALSE(verified());
}

TEST(VerifySampled, LooksAtTheLastPageOfALargeGuest) {
  const memory::Range ram{GuestPhysical(0), 128 * megabyte};
  synthetic::Memory memory(std::vector<memory::Range>{ram});
  synthetic::FrameAllocator frames(memory, ram);
  synthetic::PageTables tables(memory, frames, 4);
  const GuestVirtual start(0xffff888000000000);
  tables.map_range(start, ram.start, ram.size, 1);
  const AddressSpace space{&x86_64_four_level, tables.root(), {}, {}};
  const LinearMap claim{start, ram.size, ram.start};
  EXPECT_TRUE(verify(space, claim, memory.ram(), memory));
  tables.map(start + (ram.size - 4096), GuestPhysical(0));
  EXPECT_FALSE(verify(space, claim, memory.ram(), memory));
}

}  // namespace
}  // namespace vitrine::paging
