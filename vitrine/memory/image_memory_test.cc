#include "vitrine/memory/image_memory.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>

#include "vitrine/memory/load.h"

namespace vitrine::memory {
namespace {

using base::GuestPhysical;

using base::kPage;

base::FileDescriptor empty_file() {
  FaultRecovery::install();
  return base::FileDescriptor(memfd_create("image", MFD_CLOEXEC));
}

void put(int file, std::uint64_t offset, std::uint64_t value) {
  ASSERT_EQ(pwrite(file, &value, sizeof(value), static_cast<off_t>(offset)),
            static_cast<ssize_t>(sizeof(value)));
}

std::uint64_t get(PhysicalMemory& memory, GuestPhysical at, ReadStatus expected = ReadStatus::ok) {
  std::uint64_t value = 0;
  EXPECT_EQ(memory.read(at, std::as_writable_bytes(std::span(&value, 1))), expected);
  return value;
}

std::unique_ptr<ImageMemory> open(base::FileDescriptor file, std::vector<ImageExtent> extents) {
  auto memory = ImageMemory::create(std::move(file), std::move(extents));
  EXPECT_TRUE(memory) << to_string(memory.error());
  return std::move(*memory);
}

TEST(ImageMemory, ReadsEachExtentFromItsPlaceEvenIfUnaligned) {
  base::FileDescriptor file = empty_file();
  const std::uint64_t odd = 0x508 + 2 * kPage;
  put(file.get(), kPage + 8, 0x1111);
  put(file.get(), odd, 0x2222);
  ASSERT_EQ(ftruncate(file.get(), static_cast<off_t>(odd + 4 * kPage)), 0);
  const auto memory = open(std::move(file), {{{GuestPhysical(0), 2 * kPage}, 0},
                                             {{GuestPhysical(1) + 0xff'ffff, 4 * kPage}, odd}});
  EXPECT_EQ(get(*memory, GuestPhysical(kPage + 8)), 0x1111U);
  EXPECT_EQ(get(*memory, GuestPhysical(0x100'0000)), 0x2222U);
  EXPECT_EQ(get(*memory, GuestPhysical(0x100'0000 + 4 * kPage - 8)), 0U);
  std::uint64_t in_place = 0;
  ASSERT_TRUE(load(memory->windows()[1].bytes, in_place));
  EXPECT_EQ(in_place, 0x2222U);
}

TEST(ImageMemory, ReadsNothingOutsideItsExtents) {
  base::FileDescriptor file = empty_file();
  ASSERT_EQ(ftruncate(file.get(), 8 * kPage), 0);
  const auto memory = open(std::move(file), {{{GuestPhysical(kPage), kPage}, 0},
                                             {{GuestPhysical(3 * kPage), kPage}, kPage}});
  for (const std::uint64_t at : {std::uint64_t{0}, kPage - 1, 2 * kPage - 7, 2 * kPage,
                                 4 * kPage - 1, ~std::uint64_t{0} - 3, ~std::uint64_t{0}})
    get(*memory, GuestPhysical(at), ReadStatus::outside_ram);
}

TEST(ImageMemory, ANewImageShowsInTheSameWindows) {
  base::FileDescriptor file = empty_file();
  const int number = file.get();
  const auto memory = open(std::move(file), {{{GuestPhysical(0), 4 * kPage}, 0}});
  const std::byte* bytes = memory->windows()[0].bytes;
  get(*memory, GuestPhysical(0), ReadStatus::not_populated);
  for (const std::uint64_t value : {0x1111U, 0x2222U}) {
    ASSERT_EQ(ftruncate(number, 0), 0);
    get(*memory, GuestPhysical(0), ReadStatus::not_populated);
    ASSERT_EQ(ftruncate(number, 4 * kPage), 0);
    EXPECT_EQ(get(*memory, GuestPhysical(2 * kPage)), 0U);
    put(number, 2 * kPage, value);
    EXPECT_EQ(get(*memory, GuestPhysical(2 * kPage)), value);
    EXPECT_EQ(memory->windows()[0].bytes, bytes);
  }
}

TEST(ImageMemory, ListsWhereTheFileHasData) {
  base::FileDescriptor file = empty_file();
  ASSERT_EQ(ftruncate(file.get(), 64 * kPage), 0);
  put(file.get(), 3 * kPage, 1);
  put(file.get(), 4 * kPage, 1);
  put(file.get(), 40 * kPage, 1);
  const auto memory = open(std::move(file), {{{GuestPhysical(0x10'0000), 20 * kPage}, 2 * kPage},
                                             {{GuestPhysical(0x20'0000), 20 * kPage}, 30 * kPage}});
  EXPECT_EQ(memory->populated({GuestPhysical(0), 1ULL << 40}),
            (std::vector<Range>{{GuestPhysical(0x10'1000), 2 * kPage},
                                {GuestPhysical(0x20'a000), kPage}}));
  EXPECT_EQ(memory->populated({GuestPhysical(0x10'2000), kPage}),
            (std::vector<Range>{{GuestPhysical(0x10'2000), kPage}}));
  EXPECT_TRUE(memory->populated({GuestPhysical(0x10'3000), 4 * kPage}).empty());
}

TEST(ImageMemory, APageOfWhichAnyByteHasDataIsPopulated) {
  base::FileDescriptor file = empty_file();
  ASSERT_EQ(ftruncate(file.get(), 16 * kPage), 0);
  put(file.get(), 4 * kPage, 1);
  const auto memory = open(std::move(file), {{{GuestPhysical(0), 8 * kPage}, 0x508}});
  EXPECT_EQ(memory->populated({GuestPhysical(0), 8 * kPage}),
            (std::vector<Range>{{GuestPhysical(3 * kPage), 2 * kPage}}));
}

TEST(ImageMemory, RefusesExtentsThatContradict) {
  const auto refused = [](std::vector<ImageExtent> extents) {
    return !ImageMemory::create(empty_file(), std::move(extents));
  };
  const std::uint64_t huge = ~std::uint64_t{0};
  EXPECT_TRUE(refused({{{GuestPhysical(0), 0}, 0}}));
  EXPECT_TRUE(refused({{{GuestPhysical(kPage), kPage}, 0}, {{GuestPhysical(0), kPage}, kPage}}));
  EXPECT_TRUE(
      refused({{{GuestPhysical(0), 2 * kPage}, 0}, {{GuestPhysical(kPage), kPage}, kPage}}));
  EXPECT_TRUE(refused({{{GuestPhysical(huge - kPage), 2 * kPage}, 0}}));
  EXPECT_TRUE(refused({{{GuestPhysical(0), kPage}, huge}}));
  EXPECT_TRUE(refused({{{GuestPhysical(0), huge}, 0}}));
  EXPECT_FALSE(refused({}));
}

}  // namespace
}  // namespace vitrine::memory
