#include "vitrine/host/pagemap.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>

#include "vitrine/host/testing/fake_proc.h"

namespace vitrine::host {
namespace {

TEST(Pagemap, TellsTouchedPagesFromUntouchedOnes) {
  void* at =
      mmap(nullptr, 4 * kHostPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(at, MAP_FAILED);
  madvise(at, 4 * kHostPage, MADV_NOHUGEPAGE);
  static_cast<volatile char*>(at)[2 * kHostPage] = 1;
  auto pagemap = Pagemap::open(::getpid());
  ASSERT_TRUE(pagemap);
  std::array<PagemapEntry, 4> entries;
  ASSERT_TRUE(pagemap->read(base::HostVirtual(reinterpret_cast<std::uintptr_t>(at)), entries));
  EXPECT_FALSE(entries[0].populated());
  EXPECT_FALSE(entries[1].populated());
  EXPECT_TRUE(entries[2].present());
  EXPECT_FALSE(entries[2].file_or_shared());
  EXPECT_FALSE(entries[3].populated());
  munmap(at, 4 * kHostPage);
}

TEST(Pagemap, DecodesTheBitsTheKernelDocuments) {
  testing::FakeProc proc;
  const std::array<std::uint64_t, 3> raw = {1ULL << 63, 1ULL << 62, 1ULL << 63 | 1ULL << 61};
  proc.write("12/pagemap", {reinterpret_cast<const char*>(raw.data()), sizeof raw});
  auto pagemap = Pagemap::open(12, proc.root());
  ASSERT_TRUE(pagemap);
  std::array<PagemapEntry, 3> entries;
  ASSERT_TRUE(pagemap->read(base::HostVirtual(0), entries));
  EXPECT_TRUE(entries[0].present() && !entries[0].swapped() && !entries[0].file_or_shared());
  EXPECT_TRUE(!entries[1].present() && entries[1].swapped() && entries[1].populated());
  EXPECT_TRUE(entries[2].present() && entries[2].file_or_shared());
  EXPECT_EQ(pagemap->read(base::HostVirtual(kHostPage), entries).error().code, base::Code::gone);
  EXPECT_EQ(pagemap->read(base::HostVirtual(1), entries).error().code, base::Code::invalid);
}

}  // namespace
}  // namespace vitrine::host
