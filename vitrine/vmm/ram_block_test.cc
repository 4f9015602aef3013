#include "vitrine/vmm/ram_block.h"

#include <gtest/gtest.h>

namespace vitrine::vmm {
namespace {

constexpr std::uint64_t kBlockMebibyte = 1 << 20;
constexpr std::uint64_t kBlockGibibyte = 1 << 30;

CommandLine with_arguments(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "qemu-system-x86_64");
  return parse_command_line(arguments);
}

std::vector<HostPlacement> placements(const CommandLine& line, const std::string& maps) {
  return host_placements(line, ram_blocks(line), host::parse_mappings(maps).value());
}

TEST(RamBlocks, TellRamFromTheMemoryOfDevices) {
  const auto blocks = ram_blocks(with_arguments(
      {"-m", "1G", "-object", "memory-backend-file,id=iv,size=2G,mem-path=/x,share=on", "-device",
       "ivshmem-plain,memdev=iv", "-object", "memory-backend-ram,id=d,size=512M", "-device",
       "pc-dimm,memdev=d,addr=0x200000000"}));
  ASSERT_EQ(blocks.size(), 3U);
  EXPECT_EQ(blocks[0].use, BlockUse::not_ram);
  EXPECT_EQ(blocks[1].use, BlockUse::plugged);
  EXPECT_EQ(blocks[1].address, base::GuestPhysical(8 * kBlockGibibyte));
  EXPECT_EQ(blocks[2].name, "pc.ram");
  EXPECT_EQ(blocks[2].size, kBlockGibibyte);
}

TEST(HostPlacements, RamMayHaveBeenMergedWithANeighbour) {
  const auto list = placements(with_arguments({"-m", "256"}),
                               "7f0000000000-7f0010100000 rw-p 0 00:00 0\n"
                               "7f0010100000-7f0010101000 ---p 0 00:00 0\n");
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].starts[0]->value, 0x7f0000100000U) << "before the guard page";
  EXPECT_EQ(list[1].starts[0]->value, 0x7f0000000000U);
}

TEST(HostPlacements, RamMayBeSplitIntoSeveralMappings) {
  const auto list = placements(with_arguments({"-m", "256"}),
                               "7f0000000000-7f0008000000 rw-p 0 00:00 0\n"
                               "7f0008000000-7f0010000000 rw-p 0 00:00 0\n");
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0].starts[0]->value, 0x7f0000000000U);
}

TEST(HostPlacements, HeapCodeAndOtherFilesAreNotRam) {
  EXPECT_TRUE(placements(with_arguments({"-m", "256"}),
                         "550000000000-550010000000 rw-p 0 00:00 0 [heap]\n"
                         "7f0000000000-7f0010000000 rwxp 0 00:00 0\n"
                         "7f0020000000-7f0030000000 rw-s 0 00:01 7 /memfd:x (deleted)\n"
                         "7f0040000000-7f0050000000 r--p 0 00:00 0\n")
                  .empty());
}

TEST(HostPlacements, EqualNodesAreTriedInTheOrderOfTheirAllocation) {
  const auto line = with_arguments({"-m", "512", "-object", "memory-backend-ram,id=a,size=256M",
                                    "-object", "memory-backend-ram,id=b,size=256M", "-numa",
                                    "node,memdev=b", "-numa", "node,memdev=a"});
  const auto list = placements(line,
                               "7f0000000000-7f0010000000 rw-p 0 00:00 0\n"
                               "7f0020000000-7f0030000000 rw-p 0 00:00 0\n");
  ASSERT_EQ(list.size(), 2U);
  const auto regions = place(ram_blocks(line), list[0], physical_placements(line).front());
  ASSERT_EQ(regions.size(), 3U);
  EXPECT_EQ(regions[0].block, "b") << "node 0";
  EXPECT_EQ(regions[0].host.value, 0x7f0000000000U) << "allocated last, so lowest";
  EXPECT_EQ(regions[2].block, "a");
  EXPECT_EQ(regions[2].start.value, 256 * kBlockMebibyte);
}

TEST(HostPlacements, AreBoundedHoweverManyMappingsFit) {
  std::string maps;
  for (unsigned i = 0; i < 200; ++i) {
    const std::uint64_t start = 0x7f0000000000 + i * kBlockGibibyte;
    maps += base::to_hex(start).substr(2) + "-" +
            base::to_hex(start + 256 * kBlockMebibyte).substr(2) + " rw-p 0 00:00 0\n";
  }
  std::vector<std::string> arguments = {"-m", "4096"};
  for (unsigned i = 0; i < 16; ++i) {
    const std::string id = "n" + std::to_string(i);
    arguments.insert(arguments.end(), {"-object", "memory-backend-ram,size=256M,id=" + id, "-numa",
                                       "node,memdev=" + id});
  }
  EXPECT_EQ(placements(with_arguments(arguments), maps).size(), 16U);
}

TEST(Place, DimmsFollowEachOtherAboveAllRam) {
  const auto line =
      with_arguments({"-m", "256,slots=2,maxmem=8G", "-object", "memory-backend-ram,id=a,size=128M",
                      "-device", "pc-dimm,memdev=a", "-object", "memory-backend-ram,id=b,size=64M",
                      "-device", "pc-dimm,memdev=b"});
  HostPlacement host;
  host.starts = {base::HostVirtual(0x10000000), base::HostVirtual(0x20000000),
                 base::HostVirtual(0x30000000)};
  const auto regions = place(ram_blocks(line), host, physical_placements(line).front());
  ASSERT_EQ(regions.size(), 4U);
  EXPECT_EQ(regions[2].start.value, 4 * kBlockGibibyte);
  EXPECT_EQ(regions[3].start.value, 4 * kBlockGibibyte + 128 * kBlockMebibyte);
}

}  // namespace
}  // namespace vitrine::vmm
