#include "vitrine/memory/migration_stream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "vitrine/base/address.h"
#include "vitrine/memory/testing/stream_builder.h"

namespace vitrine::memory {
namespace {

using base::Code;
using Builder = testing::StreamBuilder;

// Writes down what it is told.
struct Log final : MigrationStream::Receiver {
  std::vector<MigrationStream::Block> known;
  std::vector<std::string> pages;
  bool refuses = false;

  base::Result<void> blocks(std::span<const MigrationStream::Block> blocks) override {
    known.assign(blocks.begin(), blocks.end());
    return {};
  }
  base::Result<void> page(std::size_t block, std::uint64_t offset,
                          std::span<const std::byte, 4096> content) override {
    EXPECT_TRUE(std::ranges::all_of(content, [&](std::byte b) { return b == content[0]; }));
    return note(block, offset, static_cast<char>(content[0]));
  }
  base::Result<void> zero_page(std::size_t block, std::uint64_t offset) override {
    return note(block, offset, '0');
  }
  base::Result<void> note(std::size_t block, std::uint64_t offset, char fill) {
    EXPECT_LT(offset, known.at(block).size);
    pages.push_back(known.at(block).name + "+" + base::to_hex(offset) + "=" + fill);
    if (refuses) return base::fail(Code::unreadable, "full");
    return {};
  }
};

Builder whole_stream() {
  Builder stream;
  stream.setup();
  stream.part().number(0x1008, 8).name("pc.ram").content('a').number(0x2022, 8).number(0, 1);
  stream.page(0x4028, 'b').end();
  stream.part().number(0x0002, 8).name("vga").number(0, 1).end();
  return stream.devices();
}

const std::vector<std::string> kPages{"pc.ram+0x1000=a", "pc.ram+0x2000=0", "pc.ram+0x4000=b",
                                      "vga+0x0=0"};

TEST(MigrationStream, TellsWhichPageOfWhichBlockArrives) {
  Log log;
  MigrationStream stream(log);
  const auto fed = stream.feed(whole_stream().bytes);
  ASSERT_TRUE(fed) << to_string(fed.error());
  EXPECT_TRUE(stream.complete());
  EXPECT_EQ(log.known, (std::vector<MigrationStream::Block>{{"pc.ram", 0x5000}, {"vga", 0x1000}}));
  EXPECT_EQ(log.pages, kPages);
}

TEST(MigrationStream, ReadsTheSameHoweverTheStreamIsSplit) {
  const std::vector<std::byte> bytes = whole_stream().bytes;
  for (const std::size_t size : {1U, 2U, 7U, 4095U, 4096U, 4097U}) {
    Log log;
    MigrationStream stream(log);
    for (std::size_t at = 0; at < bytes.size(); at += size)
      ASSERT_TRUE(stream.feed(std::span(bytes).subspan(at, std::min(size, bytes.size() - at))));
    EXPECT_TRUE(stream.complete());
    EXPECT_EQ(log.pages, kPages) << size;
  }
}

TEST(MigrationStream, IsNotCompleteBeforeTheDevicesBegin) {
  const std::vector<std::byte> bytes = whole_stream().bytes;
  const std::size_t devices = Builder().devices().bytes.size();
  Log log;
  MigrationStream stream(log);
  ASSERT_TRUE(stream.feed(std::span(bytes).first(bytes.size() - devices)));
  EXPECT_FALSE(stream.complete());
  ASSERT_TRUE(stream.feed(std::span(bytes).last(devices)));
  EXPECT_TRUE(stream.complete());
  ASSERT_TRUE(stream.feed(bytes));
  EXPECT_EQ(log.pages, kPages);
}

TEST(MigrationStream, ReadsTheConfigurationsSubsectionsAndCommands) {
  Builder stream;
  stream.header().configuration();
  stream.number(5, 1).name("configuration/target-page-bits").number(1, 4).number(12, 4);
  stream.number(5, 1).name("configuration/uuid").number(1, 4).number(0, 8).number(0, 8);
  stream.number(5, 1).name("configuration/capabilities").number(1, 4).number(0, 4);
  stream.number(8, 1).number(3, 2).number(5, 2).number(0, 5);
  stream.section().blocks().end().number(0, 1);
  Log log;
  MigrationStream parser(log);
  const auto fed = parser.feed(stream.bytes);
  ASSERT_TRUE(fed) << to_string(fed.error());
  EXPECT_TRUE(parser.complete());
  EXPECT_EQ(log.known.size(), 2U);
}

Code code_of(const Builder& stream) {
  Log log;
  MigrationStream parser(log);
  const auto fed = parser.feed(stream.bytes);
  EXPECT_FALSE(fed);
  EXPECT_FALSE(parser.feed({})) << "it goes on after an error";
  return fed ? Code::gone : fed.error().code;
}

TEST(MigrationStream, RefusesDamage) {
  const auto ram = [] { return Builder().header().section(); };
  const auto page = [] { return Builder().setup().part(); };
  EXPECT_EQ(code_of(Builder().number(0x5145564e, 4).number(3, 4)), Code::inconsistent);
  EXPECT_EQ(code_of(Builder().header().number(7, 1).number(0, 4)), Code::inconsistent);
  EXPECT_EQ(code_of(Builder().header().number(7, 1).number(1 << 30, 4)), Code::inconsistent);
  EXPECT_EQ(code_of(Builder().header().number(4, 1)), Code::inconsistent);
  EXPECT_EQ(code_of(Builder().header().part()), Code::inconsistent);
  EXPECT_EQ(code_of(ram().number(4, 8)), Code::inconsistent);
  EXPECT_EQ(code_of(ram().blocks(0x4000)), Code::inconsistent);
  EXPECT_EQ(code_of(ram().blocks().blocks()), Code::inconsistent);
  EXPECT_EQ(code_of(ram().number(0x6004, 8).name("a").number(0, 8)), Code::inconsistent);
  EXPECT_EQ(code_of(ram().number(0x6004, 8).name("a").number(0x1001, 8)), Code::inconsistent);
  EXPECT_EQ(code_of(ram().number(0x6004, 8).name("a").number(1ULL << 63, 8)), Code::inconsistent);
  EXPECT_EQ(code_of(ram().number(0x6004, 8).name("a").number(0x1000, 8).name("a").number(4096, 8)),
            Code::inconsistent);
  EXPECT_EQ(code_of(ram().number(0x6004, 8).name("")), Code::inconsistent);
  EXPECT_EQ(code_of(page().number(0x0028, 8)), Code::inconsistent);
  EXPECT_EQ(code_of(page().number(0x0008, 8).name("other")), Code::inconsistent);
  EXPECT_EQ(code_of(page().number(0x5008, 8).name("pc.ram")), Code::inconsistent);
  EXPECT_EQ(code_of(page().number(~std::uint64_t{0xfff} | 8, 8).name("vga")), Code::inconsistent);
}

TEST(MigrationStream, RefusesWhatItDoesNotKnow) {
  const auto page = [] { return Builder().setup().part(); };
  EXPECT_EQ(code_of(Builder().number(0x5145564d, 4).number(2, 4)), Code::unsupported);
  EXPECT_EQ(code_of(Builder().header().section("block", 1)), Code::unsupported);
  EXPECT_EQ(code_of(Builder().header().section("ram", 5)), Code::unsupported);
  EXPECT_EQ(code_of(Builder().setup().section("dirty-bitmap", 1)), Code::unsupported);
  EXPECT_EQ(code_of(Builder().header().number(9, 1)), Code::unsupported);
  EXPECT_EQ(code_of(Builder().header().number(8, 1).number(6, 2).number(4, 2)), Code::unsupported);
  EXPECT_EQ(code_of(Builder().header().configuration().number(5, 1).name("configuration/new")),
            Code::unsupported);
  EXPECT_EQ(code_of(Builder()
                        .header()
                        .configuration()
                        .number(5, 1)
                        .name("configuration/target-page-bits")
                        .number(1, 4)
                        .number(16, 4)),
            Code::unsupported);
  EXPECT_EQ(code_of(Builder()
                        .header()
                        .configuration()
                        .number(5, 1)
                        .name("configuration/capabilities")
                        .number(1, 4)
                        .number(1, 4)
                        .name("x-ignore-shared")),
            Code::unsupported);
  for (const std::uint64_t flags : {0x00U, 0x01U, 0x0aU, 0x40U, 0x80U, 0x100U, 0x200U, 0x800U})
    EXPECT_EQ(code_of(page().number(flags, 8)), Code::unsupported) << flags;
  EXPECT_EQ(code_of(page().number(0x0002, 8).name("vga").number(7, 1)), Code::unsupported);
}

TEST(MigrationStream, EndsWithTheReceiversError) {
  Log log;
  log.refuses = true;
  MigrationStream stream(log);
  const auto fed = stream.feed(whole_stream().bytes);
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().message, "full");
  EXPECT_EQ(log.pages.size(), 1U);
}

}  // namespace
}  // namespace vitrine::memory
