#include "vitrine/host/memory_read.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "vitrine/host/testing/fake_proc.h"

namespace vitrine::host {
namespace {

using base::kPage;

base::HostVirtual address(const std::byte* at) {
  return base::HostVirtual(reinterpret_cast<std::uintptr_t>(at));
}

// Three pages of this very process, the middle one not readable.
class RemoteMemory : public ::testing::Test {
 protected:
  void SetUp() override {
    void* at = mmap(nullptr, 3 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(at, MAP_FAILED);
    bytes_ = static_cast<std::byte*>(at);
    for (std::size_t i = 0; i < 3 * kPage; ++i) bytes_[i] = static_cast<std::byte>(i % 251);
    munmap(bytes_ + kPage, kPage);
  }
  void TearDown() override {
    munmap(bytes_, kPage);
    munmap(bytes_ + 2 * kPage, kPage);
  }
  RemoteRead piece(std::size_t offset, std::size_t size) {
    copies_.emplace_back(size);
    return {address(bytes_ + offset), copies_.back(), true};
  }
  bool right(const RemoteRead& piece) const {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): it is an address of this very process
    const auto* from = reinterpret_cast<const void*>(piece.from.value);
    return piece.ok && std::memcmp(from, piece.into.data(), piece.into.size()) == 0;
  }

  std::byte* bytes_ = nullptr;
  std::vector<std::vector<std::byte>> copies_;
};

TEST_F(RemoteMemory, PiecesThatCannotBeReadSpoilNoOthers) {
  std::vector<RemoteRead> pieces = {piece(kPage, 8), piece(0, 64),         piece(kPage - 8, 16),
                                    piece(100, 0),   piece(2 * kPage, 64), piece(kPage + 9, 1)};
  const auto check = [&] {
    EXPECT_FALSE(pieces[0].ok);
    EXPECT_TRUE(right(pieces[1]));
    EXPECT_FALSE(pieces[2].ok) << "crosses into the hole";
    EXPECT_TRUE(pieces[3].ok) << "nothing to read";
    EXPECT_TRUE(right(pieces[4]));
    EXPECT_FALSE(pieces[5].ok);
  };
  ProcessVmReader reader(::getpid());
  ASSERT_TRUE(reader.read(pieces));
  check();
  EXPECT_EQ(reader.calls(), 3U) << "one for each piece that fails, the others ride along";
  ASSERT_TRUE(ProcMemReader::open(::getpid())->read(pieces));
  check();
}

TEST_F(RemoteMemory, ManyPiecesTakeFewCalls) {
  std::vector<RemoteRead> pieces;
  copies_.reserve(2500);
  for (std::size_t i = 0; i < 2500; ++i) pieces.push_back(piece(i, 16));
  ProcessVmReader reader(::getpid());
  ASSERT_TRUE(reader.read(pieces));
  EXPECT_EQ(reader.calls(), 3U);
  for (const RemoteRead& piece : pieces) ASSERT_TRUE(right(piece));
}

TEST_F(RemoteMemory, AnEndedProcessIsGone) {
  const pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  auto file = ProcMemReader::open(child);
  ASSERT_TRUE(file);
  ProcessVmReader reader(child);
  std::vector<RemoteRead> pieces = {piece(0, 8)};
  EXPECT_TRUE(reader.read(pieces));
  EXPECT_TRUE(right(pieces[0]));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_EQ(reader.read(pieces).error().code, base::Code::gone);
  EXPECT_FALSE(pieces[0].ok);
  EXPECT_EQ(file->read(pieces).error().code, base::Code::gone);
  EXPECT_EQ(ProcMemReader::open(child).error().code, base::Code::gone);
}

TEST(MergedPages, AreThoseThatTheHostTells) {
  testing::FakeProc proc;
  EXPECT_EQ(merged_pages(7, proc.root()).value(), 0U);
  proc.write("7/ksm_merging_pages", "131\n");
  EXPECT_EQ(merged_pages(7, proc.root()).value(), 131U);
}

}  // namespace
}  // namespace vitrine::host
