#include "apps/cli/place.h"

#include <gtest/gtest.h>

#include "tests/synthetic/attached.h"

namespace vitrine::cli {
namespace {

class PlaceTest : public ::testing::Test {
 protected:
  base::Result<Place> parse(std::string_view text) { return parse_place(text, kernel_.symbols); }
  std::uint64_t address(std::string_view text) {
    const auto place = parse(text);
    EXPECT_TRUE(place) << text;
    return place ? place->address : 0;
  }

  synthetic::Guest guest_;
  kernel::Kernel kernel_ = synthetic::locate_kernel(guest_);
};

TEST_F(PlaceTest, IsAnAddressOrASymbolWithADistance) {
  const std::uint64_t task = guest_.kernel().symbol("init_task").value;
  EXPECT_EQ(address("0xffffffff81000000"), 0xffffffff81000000);
  EXPECT_EQ(address("ffffffff81000000"), 0xffffffff81000000);
  EXPECT_EQ(address("4096"), 4096U);
  EXPECT_EQ(address("init_task"), task);
  EXPECT_EQ(address("init_task+0x10"), task + 16);
  EXPECT_EQ(address("init_task-8"), task - 8);
  EXPECT_TRUE(parse("phys:0x1000")->physical);
  EXPECT_FALSE(parse("0x1000")->physical);
}

TEST_F(PlaceTest, IsNothingElse) {
  EXPECT_EQ(parse("no_such_symbol").error().code, base::Code::absent);
  for (const char* wrong :
       {"", "+8", "init_task+", "init_task+x", "phys:", "phys:init_task", "0xzz"})
    EXPECT_FALSE(parse(wrong)) << wrong;
}

TEST(ParseNumber, KnowsUnits) {
  EXPECT_EQ(parse_number("4K"), 4096U);
  EXPECT_EQ(parse_number("0x10"), 16U);
  EXPECT_EQ(parse_number("1G"), std::uint64_t{1} << 30);
  for (const char* wrong : {"", "K", "4T", "99999999999999999999", "18446744073709551615K", "-1"})
    EXPECT_FALSE(parse_number(wrong)) << wrong;
}

}  // namespace
}  // namespace vitrine::cli
