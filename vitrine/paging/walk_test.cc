#include "vitrine/paging/walk.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/synthetic/guest.h"
#include "vitrine/paging/walked_memory.h"

namespace vitrine::paging {
namespace {

using base::GuestPhysical;
using base::GuestVirtual;
using synthetic::gigabyte;
using synthetic::megabyte;

const Format& format_of(int levels) { return levels == 5 ? x86_64_five_level : x86_64_four_level; }

class Walk : public ::testing::TestWithParam<int> {
 protected:
  Fault translate(GuestVirtual at, Translation& to) {
    memory::GatherReader reader(memory_);
    return walk(format_of(GetParam()), tables_.root(), at, reader, to);
  }
  Fault fault(GuestVirtual at) {
    Translation ignored;
    return translate(at, ignored);
  }

  synthetic::Memory memory_{std::vector<memory::Range>{{GuestPhysical(0), 16 * megabyte}}};
  synthetic::FrameAllocator frames_{memory_, {GuestPhysical(0), 8 * megabyte}};
  synthetic::PageTables tables_{memory_, frames_, GetParam()};
  const GuestVirtual at_{0x7f1234567000};
};

TEST_P(Walk, TranslatesPagesOfEverySize) {
  const GuestVirtual small(0x7f0000001000);
  const GuestVirtual large(0xffffc90000200000);
  const GuestVirtual huge(0x40000000);
  tables_.map(small, GuestPhysical(0x5000));
  tables_.map(large, GuestPhysical(4 * megabyte), 2);
  tables_.map(huge, GuestPhysical(3 * gigabyte), 3);
  Translation found;
  ASSERT_EQ(translate(small + 0xabc, found), Fault::none);
  EXPECT_EQ(found.address, GuestPhysical(0x5abc));
  EXPECT_EQ(found.page_size, 4096U);
  ASSERT_EQ(translate(large + 0x1f'fff8, found), Fault::none);
  EXPECT_EQ(found.address, GuestPhysical(4 * megabyte + 0x1f'fff8));
  EXPECT_EQ(found.page_size, 2 * megabyte);
  ASSERT_EQ(translate(huge + 0x1234'5678, found), Fault::none);
  EXPECT_EQ(found.address, GuestPhysical(3 * gigabyte + 0x1234'5678));
  EXPECT_EQ(found.page_size, gigabyte);
}

TEST_P(Walk, AgreesWithTheNaiveWalkOnRandomAddresses) {
  std::mt19937_64 random(7);
  std::vector<GuestVirtual> mapped;
  for (int i = 0; i < 60; ++i) {
    // A table of its own for each, on either half.
    const std::uint64_t sign = i % 2 == 0 ? 0 : 0xffff'8000'0000'0000;
    const GuestVirtual at(sign | (random() & 0x7fff'ffff'f000));
    tables_.map(at, GuestPhysical(random() % 4096 * 4096));
    mapped.push_back(at);
  }
  int readable = 0;
  for (int i = 0; i < 600; ++i) {
    const GuestVirtual at(i % 3 == 0 ? random() : mapped[random() % 60].value + random() % 8192);
    const auto expected = naive_translate(memory_, tables_.root(), GetParam(), at);
    Translation found;
    ASSERT_EQ(translate(at, found) == Fault::none, expected.has_value()) << to_string(at);
    if (!expected) continue;
    EXPECT_EQ(found.address, *expected) << to_string(at);
    ++readable;
  }
  EXPECT_GT(readable, 100);
}

TEST_P(Walk, IgnoresWhatIsNoAddressInARoot) {
  tables_.map(at_, GuestPhysical(0x5000));
  memory::GatherReader reader(memory_);
  Translation found;
  // CR3 holds flags and a process's tag there; a forged mm_struct whatever it likes.
  for (const std::uint64_t more :
       {std::uint64_t{0x018}, std::uint64_t{0xffc}, std::uint64_t{1} << 63}) {
    const GuestPhysical root(tables_.root().value | more);
    ASSERT_EQ(walk(format_of(GetParam()), root, at_ + 0xabc, reader, found), Fault::none) << more;
    EXPECT_EQ(found.address, GuestPhysical(0x5abc));
  }
}

TEST_P(Walk, TellsWhyAPageIsNotThere) {
  tables_.map(at_, GuestPhysical(0x5000));
  EXPECT_EQ(fault(at_ + 0x1000), Fault::not_mapped);
  tables_.swap_out(at_, 1, 0x1234);
  EXPECT_EQ(fault(at_), Fault::swapped_out);
  const GuestVirtual beyond(GetParam() == 5 ? 0x0100'0000'0000'0000 : 0x0000'8000'0000'0000);
  EXPECT_EQ(fault(beyond), Fault::not_canonical);
  EXPECT_EQ(fault(GuestVirtual(0xdead'0000'0000'0122)), Fault::not_canonical);
}

TEST_P(Walk, FollowsPagesThatOnlyTheGuestMayNotTouch) {
  tables_.map_protection_none(at_, GuestPhysical(0x6000));
  const GuestVirtual large(0x7f5555400000);
  const std::uint64_t inverted = ~(6 * megabyte) & synthetic::entry_address_mask;
  tables_.set_entry(large, 2, inverted | synthetic::entry_protection_none | synthetic::entry_large);
  Translation found;
  ASSERT_EQ(translate(at_ + 1, found), Fault::none);
  EXPECT_EQ(found.address, GuestPhysical(0x6001));
  ASSERT_EQ(translate(large + 0x1234, found), Fault::none);
  EXPECT_EQ(found.address, GuestPhysical(6 * megabyte + 0x1234));
}

TEST_P(Walk, DoesNotFollowTablesThatCannotBeRead) {
  const auto point_to = [&](GuestPhysical table) {
    tables_.set_entry(at_, 3, table.value | synthetic::entry_present);
  };
  point_to(GuestPhysical(64 * gigabyte));
  EXPECT_EQ(fault(at_), Fault::outside_ram);
  point_to(GuestPhysical(12 * megabyte));
  EXPECT_EQ(fault(at_), Fault::not_populated);
  memory_.populate({GuestPhysical(12 * megabyte), 4096});
  EXPECT_EQ(fault(at_), Fault::not_mapped);
  memory_.fail_reads({GuestPhysical(12 * megabyte), 4096});
  EXPECT_EQ(fault(at_), Fault::host_failed);
}

TEST_P(Walk, EndsInTablesThatPointToThemselves) {
  const GuestPhysical root = tables_.root();
  for (std::uint64_t index = 0; index < 512; ++index)
    memory_.put(root + 8 * index, root.value | synthetic::entry_present);
  Translation found;
  ASSERT_EQ(translate(at_, found), Fault::none);
  EXPECT_EQ(found.address, root);
}

TEST_P(Walk, ReadsPagesPieceByPieceAndNamesTheFault) {
  tables_.map(at_, GuestPhysical(9 * megabyte));
  tables_.map(at_ + 4096, GuestPhysical(10 * megabyte));
  tables_.map(at_ + 8192, GuestPhysical(64 * gigabyte));
  tables_.map(at_ + 12288, GuestPhysical(11 * megabyte));
  memory_.write(GuestPhysical(9 * megabyte + 4092), "over");
  memory_.write(GuestPhysical(10 * megabyte), "lap!");
  WalkedMemory walked(format_of(GetParam()), tables_.root(), memory_);
  std::string text(8, '\0');
  const auto bytes = std::as_writable_bytes(std::span(text.data(), text.size()));
  ASSERT_TRUE(walked.read(at_ + 4092, bytes));
  EXPECT_EQ(text, "overlap!");
  const auto outside = walked.read(at_ + 8192, bytes);
  ASSERT_FALSE(outside);
  EXPECT_EQ(outside.error().code, base::Code::unreadable);
  EXPECT_EQ(outside.error().address, (at_ + 8192).value);
  const auto hole = walked.read(at_ + 12288, bytes);
  ASSERT_FALSE(hole);
  EXPECT_EQ(hole.error().code, base::Code::absent);
  EXPECT_FALSE(memory_.is_populated(GuestPhysical(11 * megabyte)));
}

INSTANTIATE_TEST_SUITE_P(Levels, Walk, ::testing::Values(4, 5));

TEST(WalkIsolated, TheUserRootLacksTheKernelsData) {
  synthetic::GuestOptions options;
  options.kernel.page_table_isolation = true;
  synthetic::Guest guest(options);
  guest.add_process({.pid = 1, .comm = "init", .arguments = {"init"}});
  const GuestPhysical root = guest.processes().of(1).tables->root();
  const GuestVirtual data = guest.kernel().symbol("init_task");
  const GuestVirtual own(0x7ffd12345f80);
  memory::GatherReader reader(guest.memory());
  const auto fault = [&](GuestPhysical tables, GuestVirtual at) {
    Translation ignored;
    return walk(x86_64_four_level, tables, at, reader, ignored);
  };
  EXPECT_EQ(fault(root, data), Fault::none);
  EXPECT_EQ(fault(root + 4096, data), Fault::not_mapped);
  EXPECT_EQ(fault(root, own), Fault::none);
  EXPECT_EQ(fault(root + 4096, own), Fault::none);
}

}  // namespace
}  // namespace vitrine::paging
