#include "vitrine/techniques/ram_pages.h"

#include <gtest/gtest.h>

#include <array>
#include <optional>

#include "vitrine/memory/load.h"
#include "vitrine/techniques/arriving_memory.h"

namespace vitrine::techniques {
namespace {

using base::GuestPhysical;
using Block = memory::MigrationStream::Block;
using memory::ReadStatus;

using base::kPage;

vmm::RamRegion region(std::uint64_t start, std::uint64_t pages, const std::string& block,
                      std::uint64_t block_offset) {
  vmm::RamRegion made;
  made.start = GuestPhysical(start);
  made.size = pages * kPage;
  made.block = block;
  made.block_offset = block_offset;
  return made;
}

class RamPagesTest : public ::testing::Test {
 protected:
  RamPagesTest() {
    memory::FaultRecovery::install();
    layout_.regions = {region(0, 4, "pc.ram", 0), region(0x10'0000, 4, "pc.ram", 4 * kPage),
                       region(0x20'0000, 4, "dimm", 0)};
    auto image = RamImage::create(layout_);
    EXPECT_TRUE(image) << to_string(image.error());
    image_ = std::move(*image);
    EXPECT_TRUE(image_->begin());
  }
  base::Result<void> blocks(std::vector<Block> blocks) {
    pages_.emplace(layout_, *image_);
    return pages_->blocks(blocks);
  }
  void put(std::size_t block, std::uint64_t offset, char fill) {
    std::array<std::byte, kPage> content;
    content.fill(static_cast<std::byte>(fill));
    ASSERT_TRUE(pages_->page(block, offset, content));
    ASSERT_TRUE(image_->writer().flush());
  }
  static char get(memory::PhysicalMemory& memory, std::uint64_t at,
                  ReadStatus expected = ReadStatus::ok) {
    std::array<std::byte, 1> byte{};
    EXPECT_EQ(memory.read(GuestPhysical(at), byte), expected) << at;
    return static_cast<char>(byte[0]);
  }

  vmm::RamLayout layout_;
  std::unique_ptr<RamImage> image_;
  std::optional<RamPages> pages_;
};

TEST_F(RamPagesTest, PutsPagesWhereTheLayoutHasTheirBlock) {
  ASSERT_TRUE(blocks(
      {{"0000:00:02.0/vga.vram", 4 * kPage}, {"pc.ram", 8 * kPage}, {"/machine/dimm", 4 * kPage}}));
  put(1, 0, 'a');
  put(1, 5 * kPage, 'b');
  put(2, 3 * kPage, 'c');
  put(0, 0, 'v');
  EXPECT_EQ(get(image_->memory(), 0), 'a');
  EXPECT_EQ(get(image_->memory(), 0x10'0000 + kPage), 'b');
  EXPECT_EQ(get(image_->memory(), 0x20'0000 + 3 * kPage + 17), 'c');
  EXPECT_EQ(get(image_->memory(), kPage), '\0');
  EXPECT_EQ(pages_->take_arrived(), (std::vector<std::uint64_t>{0, 5, 11}));
  EXPECT_TRUE(pages_->take_arrived().empty());
}

TEST_F(RamPagesTest, AZeroPageArrivesAndReplacesWhatWasThere) {
  ASSERT_TRUE(blocks({{"pc.ram", 8 * kPage}, {"dimm", 4 * kPage}}));
  put(0, kPage, 'a');
  ASSERT_TRUE(pages_->zero_page(0, kPage));
  ASSERT_TRUE(image_->writer().flush());
  EXPECT_EQ(get(image_->memory(), kPage), '\0');
  EXPECT_EQ(pages_->take_arrived(), (std::vector<std::uint64_t>{1, 1}));
}

TEST_F(RamPagesTest, RefusesBlocksThatDoNotFitTheLayout) {
  EXPECT_FALSE(blocks({{"pc.ram", 8 * kPage}}));
  EXPECT_FALSE(blocks({{"pc.ram", 7 * kPage}, {"dimm", 4 * kPage}}));
  EXPECT_FALSE(blocks({{"pc.ram", 8 * kPage}, {"a/dimm", 4 * kPage}, {"b/dimm", 4 * kPage}}));
  EXPECT_FALSE(blocks({{"pc.ram", 8 * kPage}, {"adimm", 4 * kPage}}));
  EXPECT_TRUE(blocks({{"pc.ram", 8 * kPage}, {"dimm", 4 * kPage}, {"b/dimm", 4 * kPage}}));
}

TEST_F(RamPagesTest, WhatIsStillArrivingIsWaitedFor) {
  Arrivals arrivals;
  arrivals.begin(image_->size() / kPage);
  ArrivingMemory memory(*image_, arrivals, std::chrono::milliseconds(1));
  ASSERT_TRUE(blocks({{"pc.ram", 8 * kPage}, {"dimm", 4 * kPage}}));
  put(0, 5 * kPage, 'b');
  get(memory, 0x10'0000 + kPage, ReadStatus::failed);
  arrivals.add(pages_->take_arrived());
  EXPECT_EQ(get(memory, 0x10'0000 + kPage), 'b');
  get(memory, 0, ReadStatus::failed);
  get(memory, 0x30'0000, ReadStatus::outside_ram);
  EXPECT_TRUE(memory.populated({GuestPhysical(0), 1 << 30}).empty());
  arrivals.finish(true);
  EXPECT_EQ(get(memory, 0), '\0');
  EXPECT_EQ(memory.populated({GuestPhysical(0), 1 << 30}),
            (std::vector<memory::Range>{{GuestPhysical(0x10'0000 + kPage), kPage}}));
}

}  // namespace
}  // namespace vitrine::techniques
