#include "vitrine/memory/stream_memory.h"

#include <gtest/gtest.h>

#include "vitrine/memory/testing/content_file.h"
#include "vitrine/memory/testing/stream_builder.h"

namespace vitrine::memory {
namespace {

using base::GuestPhysical;
using testing::StreamBuilder;
using Block = MigrationStream::Block;

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

std::vector<Range> ranges_of(std::vector<Block> blocks, std::string_view machine) {
  std::vector<Range> ranges;
  for (const BlockPlace& place : place_blocks(blocks, machine)) ranges.push_back(place.range);
  return ranges;
}

TEST(PlaceBlocks, PutsWhatDoesNotFitBelowTheDevicesAboveFourGigabytes) {
  const std::vector<Range> below{{GuestPhysical(0), 2 * kGiB}};
  EXPECT_EQ(ranges_of({{"pc.ram", 2 * kGiB}}, "pc-i440fx-7.2"), below);
  EXPECT_EQ(
      ranges_of({{"pc.ram", 5 * kGiB}}, "pc-i440fx-7.2"),
      (std::vector<Range>{{GuestPhysical(0), 3 * kGiB}, {GuestPhysical(4 * kGiB), 2 * kGiB}}));
  EXPECT_EQ(
      ranges_of({{"pc.ram", 5 * kGiB}}, "pc-q35-7.2"),
      (std::vector<Range>{{GuestPhysical(0), 2 * kGiB}, {GuestPhysical(4 * kGiB), 3 * kGiB}}));
}

TEST(PlaceBlocks, JoinsTheNodesOfTheirNumbersAndLeavesDevicesOut) {
  const auto places = place_blocks(std::vector<Block>{{"ram-node10", kGiB},
                                                      {"ram-node2", 2 * kGiB},
                                                      {"0000:00:02.0/vga.vram", 16 << 20},
                                                      {"pc.bios", 256 << 10}},
                                   "pc-i440fx-7.2");
  EXPECT_EQ(places, (std::vector<BlockPlace>{{1, 0, {GuestPhysical(0), 2 * kGiB}},
                                             {0, 0, {GuestPhysical(2 * kGiB), kGiB}}}));
  // Memory that was plugged in: nobody says where.
  EXPECT_EQ(ranges_of({{"dimm0", kGiB}, {"pc.ram", kGiB}}, ""),
            (std::vector<Range>{{GuestPhysical(0), kGiB}}));
  EXPECT_TRUE(place_blocks(std::vector<Block>{{"pc.bios", 4096}}, "").empty());
  EXPECT_TRUE(
      place_blocks(std::vector<Block>{{"a", ~std::uint64_t{0} - 4095}, {"b", 8192}}, "").empty());
}

base::Result<std::unique_ptr<StreamMemory>> open(const StreamBuilder& stream,
                                                 const std::string& before = {}) {
  std::string content = before;
  for (const std::byte byte : stream.bytes) content += static_cast<char>(byte);
  return StreamMemory::create(testing::file_of(content), before.size());
}

StreamBuilder with_pages() {
  StreamBuilder stream;
  stream.setup().part().number(0x0008, 8).name("pc.ram").content('a');
  stream.page(0x1028, 'b').page(0x2028, 'c').number(0x3022, 8).number(0, 1).end();
  // One that the guest wrote to meanwhile, and one that became zero.
  stream.part().page(0x1028, 'd').number(0x2022, 8).number(0, 1).end();
  return stream.devices();
}

TEST(StreamMemory, ReadsEachPageAsItCameLast) {
  for (const std::string& before : {std::string(), std::string(777, 'x')}) {
    auto memory = open(with_pages(), before);
    ASSERT_TRUE(memory) << to_string(memory.error());
    EXPECT_EQ((*memory)->machine(), "pc-i440fx-7.2");
    EXPECT_EQ((*memory)->ram().size(), 1U);
    std::string text(4096 * 4, '\0');
    ASSERT_EQ((*memory)->read(GuestPhysical(0),
                              std::as_writable_bytes(std::span(text.data(), text.size()))),
              ReadStatus::ok);
    EXPECT_EQ(text, std::string(4096, 'a') + std::string(4096, 'd') + std::string(8192, '\0'));
    EXPECT_EQ((*memory)->populated({GuestPhysical(0), 0x5000}),
              (std::vector<Range>{{GuestPhysical(0), 0x2000}}));
    std::byte byte{};
    EXPECT_EQ((*memory)->read(GuestPhysical(0x6000), std::span(&byte, 1)), ReadStatus::outside_ram);
  }
}

TEST(StreamMemory, RefusesAStreamThatEndsBeforeItsRam) {
  StreamBuilder stream = with_pages();
  stream.bytes.resize(stream.bytes.size() - 20);
  const auto memory = open(stream);
  ASSERT_FALSE(memory);
  EXPECT_EQ(memory.error().code, base::Code::inconsistent);
}

}  // namespace
}  // namespace vitrine::memory
