// Text as a string of JSON.
#include "vitrine/base/json_string.h"

#include <gtest/gtest.h>

#include "vitrine/base/json.h"

namespace vitrine::base {
namespace {

TEST(JsonString, KeepsPrintableAscii) {
  EXPECT_EQ(json_string("_stext.cold"), "\"_stext.cold\"");
  EXPECT_EQ(json_string(""), "\"\"");
}

TEST(JsonString, CannotEndEarly) {
  EXPECT_EQ(parse_json(json_string("a\",\"b\\")), Json("a\",\"b\\"));
  EXPECT_EQ(json_string("\n"), "\"\\u000a\"");
}

TEST(JsonString, KeepsDifferentBytesApart) {
  EXPECT_EQ(json_string("\x80"), "\"\\u0080\"");
  EXPECT_NE(json_string("\xff"), json_string("\xfe"));
  EXPECT_FALSE(parse_json(json_string("\xc3\x28\xff")).is_discarded());
}

}  // namespace
}  // namespace vitrine::base
