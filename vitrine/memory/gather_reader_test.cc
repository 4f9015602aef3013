#include "vitrine/memory/gather_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace vitrine::memory {
namespace {

using base::GuestPhysical;

// 16 MiB of RAM whose 8-byte words hold their own address plus `shift`; some pages are holes.
class CountingMemory final : public PhysicalMemory {
 public:
  void read(std::span<ReadRequest> requests) override {
    ++calls;
    for (ReadRequest& request : requests) {
      ++pieces;
      request.status = status_of(request);
      if (request.status != ReadStatus::ok) continue;
      for (std::size_t i = 0; i < request.into.size(); ++i) {
        const std::uint64_t at = request.address.value + i;
        const std::uint64_t word = at / 8 * 8 + shift;
        request.into[i] = static_cast<std::byte>(word >> (at % 8 * 8) & 0xff);
      }
    }
  }
  std::span<const Range> ram() const override { return ram_; }
  std::vector<Range> populated(Range within) override { return {within}; }

  void split_at(std::uint64_t at) {
    ram_ = {{GuestPhysical(0), at}, {GuestPhysical(at), (16u << 20) - at}};
  }

  int calls = 0;
  int pieces = 0;
  std::uint64_t shift = 0;
  std::uint64_t hole_page = ~std::uint64_t{0};

 private:
  ReadStatus status_of(const ReadRequest& request) const {
    if (std::ranges::none_of(ram_, [&request](const Range& range) {
          return range.contains(request.address, request.into.size());
        }))
      return ReadStatus::outside_ram;
    const std::uint64_t first = request.address.value / 4096;
    const std::uint64_t last = (request.address.value + request.into.size() - 1) / 4096;
    return first <= hole_page && hole_page <= last ? ReadStatus::not_populated : ReadStatus::ok;
  }
  std::vector<Range> ram_{{GuestPhysical(0), 16u << 20}};
};

std::uint64_t load_at(GatherReader& reader, std::uint64_t at) {
  std::uint64_t value = ~std::uint64_t{0};
  EXPECT_TRUE(reader.load(GuestPhysical(at), value)) << std::hex << at;
  return value;
}

TEST(GatherReader, SecondObservationReadsEverythingInOneCall) {
  CountingMemory memory;
  GatherReader reader(memory);
  const auto observe = [&] {
    reader.begin();
    for (std::uint64_t page = 0; page < 500; ++page)
      for (const std::uint64_t offset : {16u, 800u, 2048u})
        EXPECT_EQ(load_at(reader, page * 8192 + offset), page * 8192 + offset + memory.shift);
  };
  observe();
  memory.calls = memory.pieces = 0;
  memory.shift = 1;
  observe();
  EXPECT_EQ(memory.calls, 1);
  EXPECT_EQ(memory.pieces, 500);
  EXPECT_EQ(reader.cost().reads, 500U);
}

TEST(GatherReader, WhatAnEarlierRunUsedIsReadInOneCallTheFirstTime) {
  CountingMemory memory;
  const auto observe = [](GatherReader& reader) {
    reader.begin();
    for (std::uint64_t page = 0; page < 500; ++page)
      EXPECT_EQ(load_at(reader, page * 8192 + 16), page * 8192 + 16);
  };
  GatherReader earlier(memory);
  observe(earlier);
  memory.calls = 0;
  GatherReader later(memory);
  later.prefetch(earlier.used());
  observe(later);
  EXPECT_EQ(memory.calls, 1);
}

TEST(GatherReader, PiecesThatMakeNoSenseAreNotFetchedAhead) {
  CountingMemory memory;
  GatherReader reader(memory);
  const std::vector<Range> pieces{{base::GuestPhysical(~std::uint64_t{0} - 8), 4096},
                                  {base::GuestPhysical(0), ~std::uint64_t{0}},
                                  {base::GuestPhysical(4096), 0},
                                  {base::GuestPhysical(8192), 64},
                                  {base::GuestPhysical(8192), 4096}};
  reader.prefetch(pieces);
  reader.begin();
  EXPECT_EQ(memory.pieces, 1);
  EXPECT_EQ(load_at(reader, 8192 + 128), 8192U + 128) << "beyond what was fetched ahead";
}

TEST(GatherReader, NeighbouringPagesBecomeOnePiece) {
  CountingMemory memory;
  GatherReader reader(memory);
  for (int round = 0; round < 3; ++round) {
    reader.begin();
    EXPECT_EQ(load_at(reader, 4096 * 7 + 4000), 4096U * 7 + 4000);
    EXPECT_EQ(load_at(reader, 4096 * 8 + 64), 4096U * 8 + 64);
  }
  EXPECT_EQ(reader.gathered().size(), 1U);
  EXPECT_LE(reader.gathered()[0].size, 320U);
}

TEST(GatherReader, NeighboursAcrossTheBorderOfTwoRangesStayApart) {
  CountingMemory memory;
  memory.split_at(8 * 4096u);
  GatherReader reader(memory);
  for (int round = 0; round < 3; ++round) {
    memory.calls = 0;
    reader.begin();
    EXPECT_EQ(load_at(reader, 4096 * 7 + 4000), 4096U * 7 + 4000);
    EXPECT_EQ(load_at(reader, 4096 * 8 + 64), 4096U * 8 + 64);
  }
  EXPECT_EQ(memory.calls, 1);
  EXPECT_EQ(reader.gathered().size(), 2U);
}

TEST(GatherReader, WhatIsNoLongerUsedIsDropped) {
  CountingMemory memory;
  GatherReader reader(memory);
  reader.begin();
  for (std::uint64_t page = 0; page < 100; ++page) load_at(reader, page * 16384);
  for (int round = 0; round < 2; ++round) {
    reader.begin();
    for (std::uint64_t page = 0; page < 10; ++page) load_at(reader, page * 16384);
  }
  reader.begin();
  EXPECT_EQ(reader.gathered().size(), 10U);
}

TEST(GatherReader, AHoleFailsAloneAndIsTriedAgainInTheNextObservation) {
  CountingMemory memory;
  memory.hole_page = 21;
  GatherReader reader(memory);
  std::uint64_t value = 0;
  for (int round = 0; round < 3; ++round) {
    reader.begin();
    EXPECT_EQ(load_at(reader, 20 * 4096 + 8), 20U * 4096 + 8);
    EXPECT_FALSE(reader.load(GuestPhysical(21 * 4096 + 8), value));
    EXPECT_EQ(reader.status(), ReadStatus::not_populated);
  }
  memory.hole_page = ~std::uint64_t{0};
  reader.begin();
  EXPECT_EQ(load_at(reader, 21 * 4096 + 8), 21U * 4096 + 8);
}

TEST(GatherReader, APageThatBecomesAHoleDoesNotTakeItsNeighbourAlong) {
  CountingMemory memory;
  GatherReader reader(memory);
  for (int round = 0; round < 2; ++round) {
    reader.begin();
    load_at(reader, 20 * 4096 + 8);
    load_at(reader, 21 * 4096 + 8);
  }
  memory.hole_page = 21;
  std::uint64_t value = 0;
  for (int round = 0; round < 2; ++round) {
    reader.begin();
    EXPECT_EQ(load_at(reader, 20 * 4096 + 8), 20U * 4096 + 8);
    EXPECT_FALSE(reader.load(GuestPhysical(21 * 4096 + 8), value));
  }
}

TEST(GatherReader, OutsideRamIsReported) {
  CountingMemory memory;
  GatherReader reader(memory);
  reader.begin();
  std::uint64_t value = 0;
  EXPECT_FALSE(reader.load(GuestPhysical(64u << 20), value));
  EXPECT_EQ(reader.status(), ReadStatus::outside_ram);
}

}  // namespace
}  // namespace vitrine::memory
