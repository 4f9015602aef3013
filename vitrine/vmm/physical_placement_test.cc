#include "vitrine/vmm/physical_placement.h"

#include <gtest/gtest.h>

namespace vitrine::vmm {
namespace {

constexpr std::uint64_t kMib = 1 << 20;

std::vector<PhysicalPlacement> placements(const std::string& machine, std::uint64_t mebibytes,
                                          std::uint64_t below_4g = 0) {
  CommandLine line;
  line.machine = machine;
  line.memory = mebibytes * kMib;
  line.below_4g = below_4g;
  return physical_placements(line);
}

// Each as QEMU 7.2 was seen to place it.
TEST(PhysicalPlacement, FollowsTheMachineType) {
  const auto below = [](const char* machine, std::uint64_t mebibytes, std::uint64_t limit = 0) {
    return placements(machine, mebibytes, limit).front().below_4g / kMib;
  };
  EXPECT_EQ(below("", 3072), 3072U);
  EXPECT_EQ(below("pc-i440fx-7.2", 3500), 3500U);
  EXPECT_EQ(below("pc", 3600), 3072U);
  EXPECT_EQ(below("pc", 3072, 1 << 30), 1024U);
  EXPECT_EQ(below("q35", 2800), 2800U);
  EXPECT_EQ(below("pc-q35-7.2", 2900), 2048U);
  EXPECT_EQ(below("q35", 4096, 3ULL << 30), 2048U);
  EXPECT_EQ(below("microvm", 3200), 3072U);
}

TEST(PhysicalPlacement, IsCertainWhereThereIsNoChoice) {
  EXPECT_EQ(placements("pc", 1024).size(), 1U);
  EXPECT_GT(placements("pc", 8192).size(), 1U);
  for (const auto& placement : placements("pc", 8192)) {
    EXPECT_EQ(placement.above_4g.value, 1ULL << 32);
  }
}

TEST(PhysicalPlacement, OfATebibyteMayLeaveAmdsHoleOut) {
  EXPECT_EQ(placements("q35", 1 << 20)[1].above_4g.value, 1ULL << 40);
}

TEST(PhysicalPlacement, OfArmsMachineIsOnePieceFromOneGibibyteOn) {
  for (const char* machine : {"virt", "virt-7.2"}) {
    const auto list = placements(machine, 8192);
    ASSERT_EQ(list.size(), 1U);
    EXPECT_EQ(list[0].below_4g, 0U);
    EXPECT_EQ(list[0].above_4g.value, 1ULL << 30);
    EXPECT_EQ(list[0].hole.size, 0U);
  }
}

TEST(DeviceMemory, BeginsAtAGibibyteAboveAllRam) {
  const std::uint64_t memory = 5120 * kMib + kMib;
  EXPECT_EQ(device_memory_start(placements("q35", 5121).front(), memory).value, 8ULL << 30);
  EXPECT_EQ(device_memory_start(placements("q35", 512).front(), 512 * kMib).value, 4ULL << 30);
}

}  // namespace
}  // namespace vitrine::vmm
