#include "vitrine/kernel/image_scan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string_view>

namespace vitrine::kernel {
namespace {

using base::GuestVirtual;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr GuestVirtual kImageStart{0xffffffff81000000};

// Memory of zeroes with some pages missing.
class Image : public memory::VirtualMemory {
 public:
  explicit Image(std::size_t size) : bytes_(size) {}

  void put(std::uint64_t offset, std::string_view text) {
    std::memcpy(bytes_.data() + offset, text.data(), text.size());
  }
  void remove(std::uint64_t page) { missing_.insert(page); }

  base::Result<void> read(GuestVirtual address, std::span<std::byte> into) override {
    const std::uint64_t at = address - kImageStart;
    if (at > bytes_.size() || into.size() > bytes_.size() - at)
      return base::fail(base::Code::absent, "not mapped");
    const auto hole = missing_.lower_bound(at / 4096);
    if (hole != missing_.end() && *hole * 4096 < at + into.size())
      return base::fail(base::Code::absent, "not mapped");
    std::memcpy(into.data(), bytes_.data() + at, into.size());
    return {};
  }

 private:
  std::vector<std::byte> bytes_;
  std::set<std::uint64_t> missing_;
};

std::vector<std::uint64_t> places(Image& image, GuestVirtual from = kImageStart) {
  std::vector<std::uint64_t> found;
  constexpr std::string_view kWanted = "wanted";
  find_in_image(image, from, std::as_bytes(std::span(kWanted)), [&](GuestVirtual at) {
    found.push_back(at - kImageStart);
    return found.size() < 8;
  });
  return found;
}

TEST(ImageScan, FindsWhatIsThereAlsoAcrossParts) {
  Image image(8U << 20);
  for (const std::uint64_t offset : {0U, 0x1234U, (1U << 20) - 3, 0x500000U})
    image.put(offset, "wanted");
  EXPECT_THAT(places(image), ElementsAre(0, 0x1234, (1 << 20) - 3, 0x500000));
  EXPECT_THAT(places(image, kImageStart + 0x1235), ElementsAre((1 << 20) - 3, 0x500000));
}

TEST(ImageScan, GoesOnBehindPagesThatAreMissing) {
  Image image(4U << 20);
  image.put(0x3ff0, "wanted");
  image.put(0x3ffd, "wanted");  // its second half is in a page that is missing
  image.remove(4);
  image.put(0x5001, "wanted");
  EXPECT_THAT(places(image), ElementsAre(0x3ff0, 0x5001));
}

TEST(ImageScan, EndsWhereNothingIsMapped) {
  Image image(4096);
  EXPECT_THAT(places(image), IsEmpty());
  int parts = 0;
  scan_image(image, kImageStart + (1U << 30),
             [&](GuestVirtual, std::span<const std::byte>) { return ++parts != 0; });
  EXPECT_EQ(parts, 0);
}

TEST(ImageScan, CopiesWhatIsMappedAround) {
  Image image(0x8000);
  image.remove(2);
  image.put(0x4567, "wanted");
  const Window window = read_around(image, kImageStart + 0x4567, 0x4000, 0x10000);
  EXPECT_EQ(window.start, kImageStart + 0x3000);
  EXPECT_EQ(window.bytes.size(), 0x5000U);
  EXPECT_EQ(window.value<char>(kImageStart + 0x4567), 'w');
  EXPECT_EQ(window.value<std::uint64_t>(kImageStart + 0x7ffc), std::nullopt);
  EXPECT_TRUE(window.from(kImageStart + 0x2000).empty());
  EXPECT_TRUE(read_around(image, kImageStart + 0x2000, 0, 16).bytes.empty());
}

}  // namespace
}  // namespace vitrine::kernel
