#include "vitrine/host/anonymous_memory.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

namespace vitrine::host {
namespace {

constexpr std::size_t kSize = 8 << 20;

std::uint64_t mine() { return anonymous_memory(ProcRoot{}, getpid()).value_or(0); }

// Takes that much, writes all of it, and tells by how much the figure grew.
std::uint64_t growth_by(int flags) {
  const std::uint64_t before = mine();
  void* const memory = mmap(nullptr, kSize, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
  EXPECT_NE(memory, MAP_FAILED);
  std::memset(memory, 1, kSize);
  const std::uint64_t after = mine();
  munmap(memory, kSize);
  return after - before;
}

TEST(AnonymousMemory, IsWhatIsPrivate) {
  EXPECT_GT(mine(), 0U);
  // Counters of the kernel lag by some pages a thread.
  EXPECT_GE(growth_by(MAP_PRIVATE), kSize - (1 << 20));
  EXPECT_LE(growth_by(MAP_SHARED), std::uint64_t{1} << 20);
}

TEST(AnonymousMemory, OfNobodyIsUnknown) {
  EXPECT_FALSE(anonymous_memory(ProcRoot{.path = "/nowhere"}, 1));
}

}  // namespace
}  // namespace vitrine::host
