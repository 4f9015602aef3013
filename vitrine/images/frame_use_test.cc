#include "vitrine/images/frame_use.h"

#include <gtest/gtest.h>

#include <ostream>

#include "tests/synthetic/attached.h"
#include "tests/synthetic/page_frames.h"

namespace vitrine::images {
namespace {

using synthetic::PageTypes;

constexpr std::uint64_t kFirst = 4096;  // frames that the synthetic guest does not use itself

struct Machine {
  explicit Machine(synthetic::KernelOptions options = {})
      : guest({.kernel = std::move(options)}),
        frames(guest.kernel()),
        kernel(synthetic::locate_kernel(guest)) {}

  FrameUses uses() {
    auto created = FrameUses::create(kernel, guest.memory());
    if (!created) throw std::runtime_error(to_string(created.error()));
    return std::move(*created);
  }
  FrameUse use(std::uint64_t frame) {
    std::vector<FrameUse> list(FrameUses::kPiece);
    uses().classify(frame / FrameUses::kPiece * FrameUses::kPiece, list);
    return list[frame % FrameUses::kPiece];
  }

  synthetic::Guest guest;
  synthetic::PageFrames frames;
  kernel::Kernel kernel;
};

class FrameUseTest : public ::testing::TestWithParam<PageTypes> {
 protected:
  Machine machine_{{.pages = GetParam()}};
};

INSTANTIATE_TEST_SUITE_P(Kernels, FrameUseTest,
                         ::testing::Values(PageTypes::map_count, PageTypes::bits, PageTypes::byte));

TEST_P(FrameUseTest, ABlockOfTheBuddyAllocatorIsFree) {
  machine_.frames.set_free(kFirst + 16, 3);
  std::vector<FrameUse> uses(FrameUses::kPiece);
  machine_.uses().classify(kFirst, uses);
  for (std::size_t i = 0; i < uses.size(); ++i)
    EXPECT_EQ(uses[i] == FrameUse::free, i >= 16 && i < 24) << i;
}

TEST_P(FrameUseTest, ACleanPageOfTheCacheIsFound) {
  machine_.frames.set_cached(kFirst + 5);
  machine_.frames.set_cached(kFirst + 8, 4);
  std::vector<FrameUse> uses(FrameUses::kPiece);
  machine_.uses().classify(kFirst, uses);
  for (std::size_t i = 0; i < uses.size(); ++i)
    EXPECT_EQ(uses[i] == FrameUse::clean_cache, i == 5 || (i >= 8 && i < 12)) << i;
}

TEST_P(FrameUseTest, CacheThatIsInUseIsKept) {
  for (const char* flag :
       {"PG_dirty", "PG_writeback", "PG_locked", "PG_swapbacked", "PG_unevictable"}) {
    machine_.frames.set_cached(kFirst);
    ASSERT_EQ(machine_.use(kFirst), FrameUse::clean_cache);
    machine_.frames.set_flags(kFirst, {"PG_lru", "PG_uptodate", flag});
    EXPECT_EQ(machine_.use(kFirst), FrameUse::in_use) << flag;
  }
  for (const auto& flags : {std::initializer_list<std::string>{"PG_lru"}, {"PG_uptodate"}}) {
    machine_.frames.set_cached(kFirst);
    machine_.frames.set_flags(kFirst, flags);
    EXPECT_EQ(machine_.use(kFirst), FrameUse::in_use);
  }
}

TEST_P(FrameUseTest, CacheThatSomebodyRefersToIsKept) {
  machine_.frames.set_cached(kFirst);
  machine_.frames.set(kFirst, "_refcount", 2);  // mapped, read or written
  EXPECT_EQ(machine_.use(kFirst), FrameUse::in_use);
  machine_.frames.set_flags(kFirst, {"PG_lru", "PG_uptodate", "PG_private"});
  EXPECT_EQ(machine_.use(kFirst), FrameUse::clean_cache) << "buffers hold one reference";
  machine_.frames.set(kFirst, "_refcount", 3);
  EXPECT_EQ(machine_.use(kFirst), FrameUse::in_use);
}

TEST_P(FrameUseTest, AnonymousMemoryIsKept) {
  for (const std::uint64_t mapping :
       {std::uint64_t{0}, std::uint64_t{0xffff888001234501}, std::uint64_t{0xffff888001234502}}) {
    machine_.frames.set_cached(kFirst);
    machine_.frames.set(kFirst, "mapping", mapping);
    EXPECT_EQ(machine_.use(kFirst), FrameUse::in_use) << mapping;
  }
}

TEST_P(FrameUseTest, DamagedEntriesMakeNothingFree) {
  machine_.frames.set_free(kFirst + 1, 3);  // not aligned
  machine_.frames.set_free(kFirst + 16, 0);
  machine_.frames.set(kFirst + 16, "private", ~std::uint64_t{0});
  machine_.frames.set_free(kFirst + 32, 11);  // larger than any block
  machine_.frames.set_cached(kFirst + 64, 3);
  machine_.frames.set_cached(kFirst + 128, 1U << 31);
  machine_.frames.set_cached(kFirst + 1023, 2);  // its second page lies in the next piece
  std::vector<FrameUse> uses(FrameUses::kPiece);
  machine_.uses().classify(kFirst, uses);
  for (std::size_t i = 0; i < uses.size(); ++i) EXPECT_EQ(uses[i], FrameUse::in_use) << i;
}

TEST_P(FrameUseTest, WhatTheArrayLacksIsInUse) {
  machine_.frames.set_free(kFirst, 10);
  machine_.frames.unmap(kFirst);
  machine_.frames.set_free(kFirst + 64, 6);
  EXPECT_EQ(machine_.use(kFirst), FrameUse::in_use);
  EXPECT_EQ(machine_.use(kFirst + 64), FrameUse::free) << "its page of the array is there";
}

TEST_P(FrameUseTest, AnAccountThatContradictsTheKernelIsNotBelieved) {
  machine_.frames.set_free(machine_.kernel.space.image.physical.value / 4096, 9);
  const auto uses = FrameUses::create(machine_.kernel, machine_.guest.memory());
  ASSERT_FALSE(uses);
  EXPECT_EQ(uses.error().code, base::Code::inconsistent);
}

TEST(FrameUses, ThatAKernelDoesNotTellAreUnsupported) {
  for (const char* key : {"LENGTH(zone.free_area)", "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)"}) {
    Machine machine({.vmcoreinfo_overrides = {{key, std::nullopt}}});
    const auto uses = FrameUses::create(machine.kernel, machine.guest.memory());
    ASSERT_FALSE(uses) << key;
    EXPECT_EQ(uses.error().code, base::Code::unsupported);
  }
  synthetic::Guest guest;  // without the array
  const kernel::Kernel kernel = synthetic::locate_kernel(guest);
  EXPECT_EQ(FrameUses::create(kernel, guest.memory()).error().code, base::Code::unsupported);
}

}  // namespace
}  // namespace vitrine::images
