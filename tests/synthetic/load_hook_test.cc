#include "tests/synthetic/load_hook.h"

#include <gtest/gtest.h>

#include <array>

#include "vitrine/memory/window_reader.h"

namespace vitrine::synthetic {
namespace {

class Hooked : public ::testing::Test {
 protected:
  Hooked() {
    memory::FaultRecovery::install();
    memory_.put(at, std::uint64_t{1});
    memory_.put(at + page_size, std::uint64_t{0});
  }
  static constexpr GuestPhysical at{16 * page_size};
  MappedMemory memory_{std::vector<Range>{{GuestPhysical(0), megabyte}}};
  memory::WindowReader reader_{memory_.windows()};
};

TEST_F(Hooked, TheHookRunsBeforeEachLoadAndTheLoadSeesWhatItWrote) {
  std::uint64_t value = 0;
  {
    const LoadHook hook(memory_, [&](std::uint64_t load) { memory_.put(at, 100 + load); });
    for (std::uint64_t load = 0; load < 5; ++load) {
      ASSERT_TRUE(reader_.load(at, value));
      EXPECT_EQ(value, 100 + load);
    }
    EXPECT_EQ(hook.loads(), 5U);
  }
  ASSERT_TRUE(reader_.load(at, value));
  EXPECT_EQ(value, 104U);
}

TEST_F(Hooked, ALoadAcrossTwoPagesIsOne) {
  const LoadHook hook(memory_, [&](std::uint64_t) { memory_.put(at + page_size, '\x7f'); });
  std::uint64_t value = 0;
  ASSERT_TRUE(reader_.load(at + page_size - 7, value));
  EXPECT_EQ(value, std::uint64_t{0x7f} << 56);
  EXPECT_EQ(hook.loads(), 1U);
}

TEST_F(Hooked, BytesOfALongCopyAreLoadsOfTheirOwn) {
  const LoadHook hook(memory_, [&](std::uint64_t load) {
    memory_.put(at + load, static_cast<std::uint8_t>(load));
  });
  std::array<std::byte, 100> bytes{};
  ASSERT_TRUE(reader_.load_bytes(at, bytes));
  EXPECT_EQ(hook.loads(), bytes.size());
  EXPECT_EQ(bytes[99], std::byte{99});
}

TEST_F(Hooked, APageThatGoesAwayFailsTheLoadAndOnlyThatOne) {
  std::uint64_t value = 0;
  const LoadHook hook(memory_, [&](std::uint64_t load) {
    if (load == 0) memory_.punch_hole({at, page_size});
    if (load == 1) memory_.put(at, std::uint64_t{7});
  });
  EXPECT_FALSE(reader_.load(at, value));
  EXPECT_TRUE(reader_.load(at, value));
  EXPECT_EQ(value, 7U);
  EXPECT_EQ(hook.loads(), 2U);
}

}  // namespace
}  // namespace vitrine::synthetic
