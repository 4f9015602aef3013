#include "vitrine/memory/recorded_memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "tests/synthetic/memory.h"

namespace vitrine::memory {
namespace {

using base::GuestPhysical;

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

TEST(SparseBytes, JoinsNeighboursAndKeepsWhatCameLast) {
  SparseBytes sparse;
  sparse.put(GuestPhysical(4090), bytes("abcdefghij"));  // across a page
  sparse.put(GuestPhysical(4092), bytes("CD"));
  sparse.put(GuestPhysical(9000), bytes("z"));
  EXPECT_EQ(sparse.size(), 11U);
  const auto pieces = sparse.pieces();
  ASSERT_EQ(pieces.size(), 2U);
  EXPECT_EQ(pieces[0].at, GuestPhysical(4090));
  EXPECT_TRUE(std::ranges::equal(pieces[0].bytes, bytes("abCDefghij")));
  EXPECT_EQ(sparse.pages({GuestPhysical(0), 8192}), (std::vector<Range>{{GuestPhysical(0), 8192}}));
  std::byte byte{};
  EXPECT_TRUE(sparse.read(GuestPhysical(9000), std::span(&byte, 1)));
  EXPECT_FALSE(sparse.read(GuestPhysical(9001), std::span(&byte, 1)));
}

TEST(RecordedMemory, HasWhatWasReadAndNothingElse) {
  synthetic::Memory memory(std::vector<Range>{{GuestPhysical(0), synthetic::megabyte}});
  memory.write(GuestPhysical(0x1000), "evidence");
  RecordingMemory recording(memory);
  std::array<std::byte, 8> first{};
  ASSERT_EQ(recording.read(GuestPhysical(0x1000), first), ReadStatus::ok);
  RecordedMemory recorded({recording.ram().begin(), recording.ram().end()}, recording.recorded());
  std::array<std::byte, 8> again{};
  ASSERT_EQ(recorded.read(GuestPhysical(0x1000), again), ReadStatus::ok);
  EXPECT_EQ(first, again);
  EXPECT_EQ(recorded.read(GuestPhysical(0x1001), again), ReadStatus::not_populated);
  EXPECT_EQ(recorded.read(GuestPhysical(2 * synthetic::megabyte), again), ReadStatus::outside_ram);
}

}  // namespace
}  // namespace vitrine::memory
