#include "vitrine/vmm/backing.h"

#include <gtest/gtest.h>

#include "vitrine/host/testing/fake_proc.h"

namespace vitrine::vmm {
namespace {

RamRegion region(std::uint64_t start, std::uint64_t size, std::uint64_t host) {
  RamRegion result;
  result.start = base::GuestPhysical(start);
  result.size = size;
  result.host = base::HostVirtual(host);
  result.block = "ram";
  result.block_offset = start;  // the block begins where guest-physical memory does
  return result;
}

base::Result<std::vector<RamRegion>> complete(std::vector<RamRegion> regions, const char* maps) {
  const host::testing::FakeProc proc;
  return with_backing(std::move(regions), host::parse_mappings(maps).value(), 12, proc.root());
}

TEST(WithBacking, JoinsMappingsOfOneFileAndCountsItsOffset) {
  const auto list = complete({region(0x5000, 0x3000, 0x12000), region(0, 0x5000, 0xd000)},
                             "d000-13000 rw-s 1000 00:01 7 /memfd:x (deleted)\n"
                             "13000-20000 rw-s 7000 00:01 7 /memfd:x (deleted)\n");
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 1U);
  EXPECT_EQ(list->front().size, 0x8000U);
  EXPECT_EQ(list->front().file_offset, 0x1000U);
  EXPECT_EQ(list->front().inode, 7U);
  EXPECT_TRUE(list->front().shared);
  EXPECT_EQ(list->front().backing, Backing::shared_memory);
}

TEST(WithBacking, SplitsWhereTheFileChanges) {
  const auto list = complete({region(0, 0x4000, 0x1000)},
                             "1000-3000 rw-p 0 00:00 0\n3000-9000 rw-s 0 fe:01 8 /data/ram\n");
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 2U);
  EXPECT_EQ((*list)[0].backing, Backing::private_anonymous);
  EXPECT_EQ((*list)[1].backing, Backing::shared_file);
  EXPECT_EQ((*list)[1].start.value, 0x2000U);
  EXPECT_EQ((*list)[1].file_offset, 0U);
}

TEST(WithBacking, RefusesHolesUnreadableMappingsAndOverlap) {
  const char* const holes = "1000-3000 rw-p 0 00:00 0\n4000-9000 rw-p 0 00:00 0\n";
  for (const auto& wrong : {region(0, 0x4000, 0x1000), region(0, 0x1000, 0x3000),
                            region(0, 0x1000, 0x9000), region(0, 0x1000, 0)}) {
    EXPECT_EQ(complete({wrong}, holes).error().code, base::Code::inconsistent);
  }
  EXPECT_EQ(complete({region(0, 0x1000, 0x1000)}, "1000-2000 ---p 0 00:00 0\n").error().code,
            base::Code::inconsistent);
  EXPECT_EQ(complete({region(0, 0x1000, 0x1000), region(0xfff, 1, 0x4000)}, holes).error().code,
            base::Code::inconsistent);
}

TEST(BackingOf, KnowsHugePagesByTheirName) {
  const auto maps = host::parse_mappings("1000-2000 rw-p 0 00:0f 9 /anon_hugepage (deleted)\n");
  const host::testing::FakeProc proc;
  EXPECT_EQ(backing_of(maps->front(), 12, proc.root()), Backing::hugetlb);
}

}  // namespace
}  // namespace vitrine::vmm
