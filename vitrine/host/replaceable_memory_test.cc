#include "vitrine/host/replaceable_memory.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <optional>

#include "vitrine/host/process.h"
#include "vitrine/host/testing/busy_process.h"

namespace vitrine::host {
namespace {

using base::Code;
using testing::BusyProcess;

constexpr std::size_t kReplaceableBytes = std::size_t{16} * 4096;

// Memory at the same address in the test and the process.
class ReplaceableMemory : public ::testing::Test {
 protected:
  template <class Prepare>
  void start(int sharing, const Prepare& prepare) {
    memory_ =
        mmap(nullptr, kReplaceableBytes, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS, -1, 0);
    process_.emplace([this, &prepare](auto&) { prepare(memory_); });
  }
  void TearDown() override { munmap(memory_, kReplaceableBytes); }

  base::HostVirtual address() const {
    return base::HostVirtual(reinterpret_cast<std::uint64_t>(memory_));
  }
  base::Result<std::vector<ReplaceablePiece>> pieces() {
    const std::array<HostRange, 1> range{{{address(), kReplaceableBytes}}};
    return replaceable_pieces(process_->pid(), range);
  }
  void expect_refused(const char* why) {
    const auto found = pieces();
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, Code::unsupported);
    EXPECT_NE(found.error().message.find(why), std::string::npos) << found.error().message;
  }

  void* memory_ = nullptr;
  std::optional<BusyProcess> process_;
};

TEST_F(ReplaceableMemory, IsOrdinaryMemoryInAsManyPiecesAsItIsMapped) {
  start(MAP_PRIVATE, [](void* memory) {
    madvise(memory, kReplaceableBytes / 2, MADV_DONTFORK);
    madvise(memory, kReplaceableBytes / 2, MADV_DONTDUMP);
  });
  const auto found = pieces();
  ASSERT_TRUE(found) << to_string(found.error());
  const std::vector<ReplaceablePiece> expected{
      {0, address(), kReplaceableBytes / 2, {MADV_DONTFORK, MADV_DONTDUMP}},
      {0, address() + kReplaceableBytes / 2, kReplaceableBytes / 2, {}}};
  EXPECT_EQ(*found, expected);
}

TEST_F(ReplaceableMemory, IsNotShared) {
  start(MAP_SHARED, [](void*) {});
  expect_refused("shared");
}

TEST_F(ReplaceableMemory, IsNotLocked) {
  start(MAP_PRIVATE, [](void* memory) { syscall(SYS_mlock, memory, 4096UL); });
  expect_refused("locked");
}

TEST_F(ReplaceableMemory, IsWritable) {
  start(MAP_PRIVATE, [](void* memory) { mprotect(memory, 4096, PROT_READ); });
  expect_refused("readable and writable");
}

// A hole that is made might be filled at once; the host maps nothing at the lowest addresses.
TEST_F(ReplaceableMemory, IsMappedThroughout) {
  start(MAP_PRIVATE, [](void*) {});
  const std::array<HostRange, 1> nowhere{{{base::HostVirtual(4096), kReplaceableBytes}}};
  const auto found = replaceable_pieces(process_->pid(), nowhere);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::unsupported);
  EXPECT_NE(found.error().message.find("throughout"), std::string::npos) << found.error().message;
}

}  // namespace
}  // namespace vitrine::host
