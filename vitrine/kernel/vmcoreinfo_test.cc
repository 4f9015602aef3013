#include "vitrine/kernel/vmcoreinfo.h"

#include <gtest/gtest.h>

#include <cstring>

namespace vitrine::kernel {
namespace {

const std::string kNoteText =
    "OSRELEASE=6.1.0-50-cloud-amd64\n"
    "BUILD-ID=bb603a9147d3efe4744bf83c83eee397c591cc20\n"
    "PAGESIZE=4096\n"
    "SYMBOL(_stext)=ffffffffb3000000\n"
    "OFFSET(page.mapping)=24\n"
    "SIZE(page)=64\n"
    "LENGTH(zone.free_area)=11\n"
    "NUMBER(phys_base)=-2097152\n"
    "NUMBER(VMALLOC_START)=0xffffd0d2c0000000\n"
    "KERNELOFFSET=32000000\n";

Vmcoreinfo parse(std::string_view text) {
  auto info = Vmcoreinfo::parse(text);
  EXPECT_TRUE(info.has_value());
  return info.value_or(Vmcoreinfo{});
}

std::vector<std::byte> note(std::string_view text, std::uint32_t name_bytes = 11,
                            std::uint32_t type = 0) {
  const std::uint32_t header[] = {name_bytes, static_cast<std::uint32_t>(text.size()), type};
  std::vector<std::byte> bytes(Vmcoreinfo::note_header_bytes + text.size());
  std::memcpy(bytes.data(), header, sizeof header);
  std::memcpy(bytes.data() + 12, "VMCOREINFO\0\0", 12);
  std::memcpy(bytes.data() + 24, text.data(), text.size());
  return bytes;
}

TEST(Vmcoreinfo, EveryKindOfLineIsFound) {
  const Vmcoreinfo info = parse(kNoteText);
  EXPECT_EQ(info.release(), "6.1.0-50-cloud-amd64");
  EXPECT_EQ(info.build_id(), "bb603a9147d3efe4744bf83c83eee397c591cc20");
  EXPECT_EQ(info.page_size(), 4096U);
  EXPECT_EQ(info.symbol("_stext"), base::GuestVirtual(0xffffffffb3000000));
  EXPECT_EQ(info.offset("page.mapping"), 24U);
  EXPECT_EQ(info.size("page"), 64U);
  EXPECT_EQ(info.length("zone.free_area"), 11U);
  EXPECT_EQ(info.kernel_offset(), 0x32000000U);
}

TEST(Vmcoreinfo, NumbersAreSignedDecimalOrHex) {
  const Vmcoreinfo info = parse(kNoteText);
  EXPECT_EQ(info.number("phys_base"), -2097152);
  EXPECT_EQ(info.number("VMALLOC_START"), static_cast<std::int64_t>(0xffffd0d2c0000000));
}

TEST(Vmcoreinfo, WhatIsMissingIsAbsent) {
  const Vmcoreinfo info = parse(kNoteText);
  EXPECT_EQ(info.symbol("init_task"), std::nullopt);
  EXPECT_EQ(info.symbol("page"), std::nullopt);
  EXPECT_EQ(info.crash_time(), std::nullopt);
  EXPECT_EQ(info.value(""), std::nullopt);
}

TEST(Vmcoreinfo, AValueThatIsNoNumberIsAbsent) {
  const Vmcoreinfo info = parse(
      "OSRELEASE=6\nSYMBOL(a)=xyz\nSYMBOL(b)=\nNUMBER(c)=12x\nNUMBER(d)=0x\n"
      "SIZE(e)=99999999999999999999\nOFFSET(f)=-1\n");
  EXPECT_EQ(info.symbol("a"), std::nullopt);
  EXPECT_EQ(info.symbol("b"), std::nullopt);
  EXPECT_EQ(info.number("c"), std::nullopt);
  EXPECT_EQ(info.number("d"), std::nullopt);
  EXPECT_EQ(info.size("e"), std::nullopt);
  EXPECT_EQ(info.offset("f"), std::nullopt);
}

TEST(Vmcoreinfo, AGarbageBuildIdIsAbsent) {
  EXPECT_EQ(parse("OSRELEASE=6\nBUILD-ID=bb603a\n").build_id(), std::nullopt);
  EXPECT_EQ(parse("OSRELEASE=6\nBUILD-ID=" + std::string(40, '%') + "\n").build_id(), std::nullopt);
}

TEST(Vmcoreinfo, TheFirstOfTwoEqualKeysCounts) {
  EXPECT_EQ(parse("OSRELEASE=6\nPAGESIZE=4096\nPAGESIZE=1\n").page_size(), 4096U);
}

TEST(Vmcoreinfo, LinesStayValidWhenItIsMoved) {
  Vmcoreinfo info = parse("OSRELEASE=6\nPAGESIZE=1");  // short: kept inside the string object
  const Vmcoreinfo moved = std::move(info);
  EXPECT_EQ(moved.release(), "6");
  EXPECT_EQ(moved.page_size(), 1U);
}

TEST(Vmcoreinfo, TextThatIsNoneIsRefused) {
  EXPECT_FALSE(Vmcoreinfo::parse("").has_value());
  EXPECT_FALSE(Vmcoreinfo::parse("PAGESIZE=4096\nOSRELEASE=6\n").has_value());
  std::string endless = "OSRELEASE=";
  endless.resize(Vmcoreinfo::max_text_bytes + 1, 'x');
  EXPECT_FALSE(Vmcoreinfo::parse(endless).has_value());
}

TEST(Vmcoreinfo, ANoteIsRecognisedByItsHeader) {
  const auto good = note(kNoteText);
  EXPECT_EQ(Vmcoreinfo::note_size(std::span(good).first(24)), 24 + kNoteText.size());
  EXPECT_EQ(Vmcoreinfo::note_size(std::span(good).first(23)), std::nullopt);
  EXPECT_EQ(Vmcoreinfo::note_size(note(kNoteText, 12)), std::nullopt);
  EXPECT_EQ(Vmcoreinfo::note_size(note(kNoteText, 11, 1)), std::nullopt);
  EXPECT_EQ(Vmcoreinfo::note_size(note("")), std::nullopt);
  EXPECT_EQ(Vmcoreinfo::note_size(note(std::string(Vmcoreinfo::max_text_bytes + 1, 'x'))),
            std::nullopt);
}

TEST(Vmcoreinfo, ANoteIsParsedWholeOrNotAtAll) {
  auto bytes = note(kNoteText);
  bytes.resize(bytes.size() + 100, std::byte{'x'});
  const auto info = Vmcoreinfo::parse_note(bytes);
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->text(), kNoteText);
  EXPECT_FALSE(
      Vmcoreinfo::parse_note(std::span(bytes).first(24 + kNoteText.size() - 1)).has_value());
}

}  // namespace
}  // namespace vitrine::kernel
