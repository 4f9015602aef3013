#include "vitrine/memory/lime.h"

#include <gtest/gtest.h>

#include "vitrine/memory/testing/content_file.h"

namespace vitrine::memory {
namespace {

using base::GuestPhysical;
using testing::bytes_of;
using testing::file_of;

std::string range(std::uint64_t first, std::uint64_t last, std::uint32_t version = 1,
                  std::uint32_t magic = kLimeMagic) {
  return bytes_of(magic) + bytes_of(version) + bytes_of(first) + bytes_of(last) +
         std::string(8, '\0');
}

base::Code lime_error_of(const std::string& content) {
  const auto read = read_lime(file_of(content).get());
  return read ? base::Code::timeout : read.error().code;
}

TEST(Lime, FindsEachRangeInTheOrderOfItsAddress) {
  const auto read = read_lime(file_of(range(0x10'0000, 0x10'1fff) + std::string(0x2000, 'b') +
                                      range(0x1000, 0x17ff) + std::string(0x800, 'a'))
                                  .get());
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_EQ(*read, (std::vector<ImageExtent>{{{GuestPhysical(0x1000), 0x800}, 0x2040},
                                             {{GuestPhysical(0x10'0000), 0x2000}, 32}}));
}

TEST(Lime, RefusesWhatIsTruncatedOrContradictsItself) {
  const std::string whole = range(0x1000, 0x1fff) + std::string(0x1000, 'a');
  EXPECT_EQ(lime_error_of(whole.substr(0, 20)), base::Code::inconsistent);
  EXPECT_EQ(lime_error_of(whole.substr(0, whole.size() - 1)), base::Code::inconsistent);
  EXPECT_EQ(lime_error_of(whole + "more"), base::Code::inconsistent);
  EXPECT_EQ(lime_error_of(whole + range(0x1800, 0x1fff) + std::string(0x800, 'a')),
            base::Code::inconsistent);
  EXPECT_EQ(lime_error_of(range(0x2000, 0x1000)), base::Code::inconsistent);
  EXPECT_EQ(lime_error_of(range(0, ~std::uint64_t{0})), base::Code::inconsistent);
  EXPECT_EQ(lime_error_of(range(0x1000, 0x1fff, 2) + std::string(0x1000, 'a')),
            base::Code::unsupported);
  EXPECT_EQ(lime_error_of(range(0x1000, 0x1fff, 1, 0x12345678) + std::string(0x1000, 'a')),
            base::Code::inconsistent);
}

}  // namespace
}  // namespace vitrine::memory
