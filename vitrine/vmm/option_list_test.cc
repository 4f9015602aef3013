#include "vitrine/vmm/option_list.h"

#include <gtest/gtest.h>

namespace vitrine::vmm {
namespace {

TEST(OptionList, FollowsQemusSyntax) {
  const auto list = OptionList::parse("vm,,1,server,nowait,path=/a,,b,path=/c=d", "name");
  EXPECT_EQ(list.get("name"), "vm,1");
  EXPECT_TRUE(list.on("server"));
  EXPECT_EQ(list.get("wait"), "off");
  EXPECT_EQ(list.get("path"), "/c=d") << "the last one counts";
  EXPECT_FALSE(list.get("absent"));
}

TEST(OptionList, ReadsJson) {
  const auto list = OptionList::parse(
      R"({"qom-type":"memory-backend-ram","size":1024,"share":true,"x":{"y":[-1]}})", "qom-type");
  EXPECT_EQ(list.get("qom-type"), "memory-backend-ram");
  EXPECT_EQ(list.size("size"), 1024U);
  EXPECT_TRUE(list.on("share"));
  EXPECT_EQ(list.get("x.y.0"), "-1");
}

TEST(OptionList, SurvivesMalformedJson) {
  EXPECT_TRUE(OptionList::parse("{\"a\":", "x").items().empty());
  EXPECT_TRUE(OptionList::parse(std::string(100000, '{'), "x").items().empty());
  std::string deep;
  for (int i = 0; i < 10000; ++i) deep += "{\"a\":";
  deep += "1" + std::string(10000, '}');
  EXPECT_TRUE(OptionList::parse(deep, "x").items().empty());
}

TEST(OptionList, TakesNoMoreRoomThanAMultipleOfItsText) {
  // One long key before many values would be copied for each of them.
  std::string text = "{\"" + std::string(20'000, 'k') + "\":[0";
  for (int i = 0; i < 10'000; ++i) text += ",0";
  std::size_t room = 0;
  const auto list = OptionList::parse(text + "]}", "x");
  for (const auto& [key, value] : list.items()) room += key.size() + value.size();
  EXPECT_LT(room, 256 * text.size());
  EXPECT_EQ(OptionList::parse("{\"" + std::string(200, 'k') + "\":1}", "x").items().size(), 1U);
}

TEST(ParseSize, KnowsUnitsFractionsAndOverflow) {
  constexpr std::uint64_t kSizeUnit = 1 << 20;
  EXPECT_EQ(parse_size("512", kSizeUnit), 512 * kSizeUnit);
  EXPECT_EQ(parse_size("2097152k", kSizeUnit), 2048 * kSizeUnit);
  EXPECT_EQ(parse_size("1G"), 1024 * kSizeUnit);
  EXPECT_EQ(parse_size("1.5g"), 1536 * kSizeUnit);
  EXPECT_EQ(parse_size("0x40000000"), 1024 * kSizeUnit);
  EXPECT_EQ(parse_size("7b", kSizeUnit), 7U);
  for (const char* text :
       {"", "G", "1X", "1.G.", "-1", "99999999999E", "0xg", "1 G", "20000000T"}) {
    EXPECT_FALSE(parse_size(text)) << text;
  }
}

}  // namespace
}  // namespace vitrine::vmm
