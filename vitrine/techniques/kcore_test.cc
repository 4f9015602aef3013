#include "vitrine/techniques/kcore.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <cstring>

namespace vitrine::techniques {
namespace {

using base::Code;

constexpr std::uint64_t kNone = ~std::uint64_t{0};

Elf64_Phdr load(std::uint64_t offset, std::uint64_t vaddr, std::uint64_t paddr,
                std::uint64_t size) {
  return {PT_LOAD, PF_R, offset, vaddr, paddr, size, size, 4096};
}

std::vector<std::byte> headers(const std::vector<Elf64_Phdr>& segments,
                               std::uint16_t machine = EM_X86_64) {
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_type = ET_CORE;
  header.e_machine = machine;
  header.e_phoff = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = static_cast<std::uint16_t>(segments.size());
  std::vector<std::byte> bytes(sizeof header + segments.size() * sizeof(Elf64_Phdr));
  std::memcpy(bytes.data(), &header, sizeof header);
  if (!segments.empty())
    std::memcpy(bytes.data() + sizeof header, segments.data(),
                segments.size() * sizeof(Elf64_Phdr));
  return bytes;
}

// As a guest with 1 GiB and Linux 6.1 has it: the kernel's image, vmalloc area, modules, RAM.
const std::vector<Elf64_Phdr> kUsual{
    {PT_NOTE, 0, 0x200, 0, 0, 0x26e8, 0, 0},
    load(0x7fffaa603000, 0xffffffffaa600000, 0x2e600000, 0x2830000),
    load(0x50c200003000, 0xffffd0c200000000, kNone, 0x1fffffffffff),
    load(0x7fffc0003000, 0xffffffffc0000000, kNone, 0x3f000000),
    load(0xea580004000, 0xffff8ea580001000, 0x1000, 0x9e000),
    load(0xea580103000, 0xffff8ea580100000, 0x100000, 0x3fee0000),
};

void expect_usual(const Kcore& kcore, std::uint64_t shift = 0) {
  ASSERT_EQ(kcore.segments.size(), 2u);
  EXPECT_EQ(kcore.segments[0].physical, (memory::Range{base::GuestPhysical(0x1000), 0x9e000}));
  EXPECT_EQ(kcore.segments[0].offset, 0xea580004000 + shift);
  EXPECT_EQ(kcore.segments[1].physical, (memory::Range{base::GuestPhysical(0x100000), 0x3fee0000}));
  EXPECT_EQ(kcore.segments[1].offset, 0xea580103000 + shift);
}

TEST(Kcore, TellsWhereEachPartOfMemoryIs) {
  const auto bytes = headers(kUsual);
  EXPECT_EQ(kcore_headers_size(std::span(bytes).first(64)), bytes.size());
  const auto kcore = parse_kcore(bytes);
  ASSERT_TRUE(kcore);
  EXPECT_FALSE(kcore->derived);
  expect_usual(*kcore);
}

TEST(Kcore, OlderKernelsLeaveItToTheDirectMap) {
  auto segments = kUsual;
  for (Elf64_Phdr& segment : segments) segment.p_paddr = 0;
  const auto kcore = parse_kcore(headers(segments));
  ASSERT_TRUE(kcore);
  EXPECT_TRUE(kcore->derived);
  expect_usual(*kcore);
  EXPECT_FALSE(parse_kcore(headers(segments, EM_AARCH64))) << "whose RAM need not begin at 0";
}

TEST(Kcore, OnlyWholePagesCount) {
  const auto kcore = parse_kcore(headers({load(0x10800, 0xffff888000000800, 0x800, 0x2000)}));
  ASSERT_TRUE(kcore);
  ASSERT_EQ(kcore->segments.size(), 1u);
  EXPECT_EQ(kcore->segments[0].physical, (memory::Range{base::GuestPhysical(0x1000), 0x1000}));
  EXPECT_EQ(kcore->segments[0].offset, 0x11000u);
}

TEST(Kcore, WhatContradictsItselfIsRefused) {
  EXPECT_EQ(parse_kcore({}).error().code, Code::inconsistent);
  EXPECT_EQ(parse_kcore(headers({})).error().code, Code::inconsistent);
  auto bytes = headers(kUsual);
  EXPECT_EQ(parse_kcore(std::span(bytes).first(bytes.size() - 1)).error().code, Code::inconsistent);
  bytes[EI_CLASS] = std::byte{ELFCLASS32};
  EXPECT_EQ(parse_kcore(bytes).error().code, Code::unsupported);
  bytes[0] = std::byte{0};
  EXPECT_EQ(parse_kcore(bytes).error().code, Code::inconsistent);
  for (const Elf64_Phdr& hostile :
       {load(0x10000, 0, kNone - 0xfff, 0x2000), load(kNone - 0xfff, 0, 0x1000, 0x2000),
        load(0x1000, 0, 0x1000, kNone), load(0x800, 0, 0x1000, 0x2000), load(0x1000, 0, 0x1000, 7)})
    EXPECT_EQ(parse_kcore(headers({hostile})).error().code, Code::unsupported);
}

}  // namespace
}  // namespace vitrine::techniques
