#include "tests/synthetic/memory.h"

#include <gtest/gtest.h>

#include <array>

#include "tests/synthetic/mapped_memory.h"
#include "vitrine/memory/load.h"

namespace vitrine::synthetic {
namespace {

using memory::ReadStatus;

const std::vector<Range> around_the_hole = {{GuestPhysical(0), 3 * gigabyte},
                                            {GuestPhysical(4 * gigabyte), 2 * gigabyte}};

ReadStatus read_at(Memory& memory, std::uint64_t at, std::uint64_t& value) {
  return memory.read(GuestPhysical(at), std::as_writable_bytes(std::span(&value, 1)));
}

TEST(SyntheticMemory, GivesBackWhatWasWrittenOnBothSidesOfTheHole) {
  Memory memory(around_the_hole);
  memory.put(GuestPhysical(3 * gigabyte - 8), std::uint64_t{1});
  memory.put(GuestPhysical(4 * gigabyte), std::uint64_t{2});
  std::uint64_t value = 0;
  EXPECT_EQ(read_at(memory, 3 * gigabyte - 8, value), ReadStatus::ok);
  EXPECT_EQ(value, 1U);
  EXPECT_EQ(read_at(memory, 4 * gigabyte, value), ReadStatus::ok);
  EXPECT_EQ(value, 2U);
  EXPECT_EQ(memory.allocated_pages(), 2U);
}

TEST(SyntheticMemory, TellsOutsideHoleAndFailureApartAndCountsThem) {
  Memory memory(around_the_hole);
  memory.record_accesses(true);
  memory.put(GuestPhysical(0x1000), std::uint64_t{1});
  memory.put(GuestPhysical(0x2000), std::uint64_t{2});
  memory.fail_reads({GuestPhysical(0x2000), 1});
  std::uint64_t value = 0;
  EXPECT_EQ(read_at(memory, 3 * gigabyte - 4, value), ReadStatus::outside_ram);
  EXPECT_EQ(read_at(memory, ~0ULL, value), ReadStatus::outside_ram);
  EXPECT_EQ(read_at(memory, 0x3000, value), ReadStatus::not_populated);
  EXPECT_EQ(read_at(memory, 0x1ffc, value), ReadStatus::failed);
  memory.stop_failing();
  EXPECT_EQ(read_at(memory, 0x2000, value), ReadStatus::ok);
  EXPECT_EQ(memory.statistics().requests, 5U);
  EXPECT_EQ(memory.statistics().outside, 2U);
  EXPECT_EQ(memory.statistics().holes, 1U);
  EXPECT_EQ(memory.statistics().bytes, 8U);
  ASSERT_EQ(memory.accesses().size(), 5U);
  EXPECT_EQ(memory.accesses()[2].address, GuestPhysical(0x3000));
}

TEST(SyntheticMemory, ListsPopulatedPagesAndForgetsPunchedOnes) {
  Memory memory(around_the_hole);
  memory.populate({GuestPhysical(0x1000), 3 * page_size});
  memory.populate({GuestPhysical(4 * gigabyte), page_size});
  memory.punch_hole({GuestPhysical(0x2000), page_size});
  const std::vector<Range> expected = {{GuestPhysical(0x1000), page_size},
                                       {GuestPhysical(0x3000), page_size},
                                       {GuestPhysical(4 * gigabyte), page_size}};
  EXPECT_EQ(memory.populated({GuestPhysical(0), 8 * gigabyte}), expected);
  EXPECT_TRUE(memory.populated({GuestPhysical(0x1001), page_size}).empty());
  EXPECT_EQ(memory.allocated_pages(), 3U);
}

TEST(SyntheticMemory, TheHookRunsBeforeEachRequestAndMayChangeMemory) {
  Memory memory({{GuestPhysical(0), megabyte}});
  std::uint64_t count = 0;
  memory.before_each_request(
      [&](const memory::ReadRequest& request) { memory.put(request.address, ++count); });
  std::array<std::uint64_t, 2> values{};
  std::array<memory::ReadRequest, 2> requests = {
      memory::ReadRequest{GuestPhysical(0), std::as_writable_bytes(std::span(values).first(1))},
      memory::ReadRequest{GuestPhysical(0), std::as_writable_bytes(std::span(values).last(1))}};
  memory.read(requests);
  EXPECT_EQ(values, (std::array<std::uint64_t, 2>{1, 2}));
}

TEST(SyntheticMemory, WritingOutsideRamIsTheTestsMistake) {
  Memory memory(around_the_hole);
  EXPECT_THROW(memory.put(GuestPhysical(3 * gigabyte - 4), std::uint64_t{1}), std::out_of_range);
}

TEST(SyntheticWindows, ShowMemoryAndFaultOnHolesWithoutFillingThem) {
  memory::FaultRecovery::install();
  MappedMemory memory(around_the_hole);
  ASSERT_EQ(memory.windows().size(), 2U);
  const std::byte* high = memory.windows()[1].bytes;
  std::uint64_t value = 0;
  EXPECT_FALSE(memory::load(high, value));
  memory.put(GuestPhysical(4 * gigabyte), std::uint64_t{42});
  EXPECT_TRUE(memory::load(high, value));
  EXPECT_EQ(value, 42U);
  EXPECT_FALSE(memory::load(high + page_size, value));
  EXPECT_EQ(memory.allocated_pages(), 1U);
}

TEST(SyntheticWindows, FaultWherePagesWentAwayOrFail) {
  memory::FaultRecovery::install();
  MappedMemory memory({{GuestPhysical(0), megabyte}});
  memory.populate({GuestPhysical(0), 2 * page_size});
  memory.punch_hole({GuestPhysical(0), page_size});
  memory.fail_reads({GuestPhysical(page_size), page_size});
  const std::byte* bytes = memory.windows()[0].bytes;
  std::uint8_t value = 0;
  EXPECT_FALSE(memory::load(bytes, value));
  EXPECT_FALSE(memory::load(bytes + page_size, value));
  memory.stop_failing();
  EXPECT_TRUE(memory::load(bytes + page_size, value));
}

}  // namespace
}  // namespace vitrine::synthetic
