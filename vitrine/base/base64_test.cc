#include "vitrine/base/base64.h"

#include <gtest/gtest.h>

#include <array>

namespace vitrine::base {
namespace {

TEST(Base64, HasTheExamplesOfItsSpecification) {
  const std::array<std::pair<const char*, const char*>, 7> examples{{{"", ""},
                                                                     {"f", "Zg=="},
                                                                     {"fo", "Zm8="},
                                                                     {"foo", "Zm9v"},
                                                                     {"foob", "Zm9vYg=="},
                                                                     {"fooba", "Zm9vYmE="},
                                                                     {"foobar", "Zm9vYmFy"}}};
  for (const auto& [bytes, text] : examples) {
    EXPECT_EQ(encode_base64(bytes), text);
    EXPECT_EQ(decode_base64(text), bytes);
  }
}

TEST(Base64, EveryByteComesBack) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  EXPECT_EQ(decode_base64(encode_base64(bytes)), bytes);
}

TEST(Base64, WhatIsNoBase64IsRefused) {
  for (const char* text : {"A", "AA", "AAA", "AA==AA==", "A===", "====", "AA\nA", "AA-_", "A=AA"})
    EXPECT_FALSE(decode_base64(text)) << text;
}

TEST(Base64, NothingIsWrittenBeyondTheEnd) {
  std::array<std::byte, 3> small{};
  EXPECT_EQ(decode_base64("Zm9v", small), 3u);
  EXPECT_FALSE(decode_base64("Zm9vYg==", small));
  EXPECT_EQ(decode_base64("Zm8=", std::span(small).first(2)), 2u);
}

}  // namespace
}  // namespace vitrine::base
